/** The geometry that is drawn: the overview first, the full detail once someone looks closely. */

import { fetchJson } from "./data.js";
import { decodeTopology } from "./topology.js";

const DETAIL_ZOOM = 10.5;

export class Shapes {
  #polygons = new Map();
  #lines = new Map();
  #listeners = [];
  #asked = false;

  constructor(topology) {
    this.#take(topology);
  }

  has = (id) => this.#polygons.has(id);

  polygon = (id) => this.#polygons.get(id);

  /** Lines of the base map: coast, border, county-lines, zone-lines, towns. */
  lines = (name) => this.#lines.get(name) ?? [];

  boundsOf = (id) => (this.has(id) ? L.latLngBounds(this.polygon(id).flat(2)) : null);

  /** Call `listener` when the geometry has become finer. */
  onChange = (listener) => this.#listeners.push(listener);

  #take(topology) {
    const { polygons, lines } = decodeTopology(topology);
    for (const [name, { geometries }] of Object.entries(topology.objects)) {
      if (geometries[0]?.type !== "MultiPolygon") this.#lines.set(name, lines(name));
      else for (const [id, polygon] of polygons(name)) this.#polygons.set(id, polygon);
    }
    this.land = [...polygons("land").values()].flat();
    this.city = [...polygons("city").values()].flat();
  }

  /** Load the full geometry once the map is close enough to show it. */
  refineOn(map, url) {
    const refine = async () => {
      if (this.#asked || map.getZoom() < DETAIL_ZOOM) return;
      this.#asked = true;
      try {
        this.#take(await fetchJson(url));
        for (const listener of this.#listeners) listener();
      } catch {
        this.#asked = false; // the overview stays; the next zoom tries again
      }
    };
    map.on("zoomend", refine);
    refine();
  }
}
