/** The geometry that is drawn: the overview first, the full detail once someone looks closely. */

import { fetchJson } from "./data.js";
import { countSegments, linesOf, onFrameOf } from "./edges.js";
import { decodeTopology } from "./topology.js";

const DETAIL_ZOOM = 12;
const BASE = new Set(["land", "city", "towns"]);

export class Shapes {
  #polygons = new Map();
  #layers = new Map();
  #listeners = [];
  #asked = false;

  constructor(topology) {
    this.#take(topology);
  }

  has = (id) => this.#polygons.has(id);

  polygon = (id) => this.#polygons.get(id);

  boundsOf = (id) => (this.has(id) ? L.latLngBounds(this.polygon(id).flat(2)) : null);

  /** Call `listener` when the geometry has become finer. */
  onChange = (listener) => this.#listeners.push(listener);

  #take(topology) {
    const decoded = decodeTopology(topology);
    for (const name of Object.keys(topology.objects)) {
      if (BASE.has(name)) continue;
      const polygons = decoded.polygons(name);
      this.#layers.set(name, [...polygons.values()].flat());
      for (const [id, polygon] of polygons) this.#polygons.set(id, polygon);
    }
    this.land = [...decoded.polygons("land").values()].flat();
    this.city = [...decoded.polygons("city").values()].flat();
    this.towns = decoded.lines("towns");
    this.#drawEdges();
  }

  /** Coast is what one land has, border what both have, a county line what two counties have. */
  #drawEdges() {
    const [land, city, counties] = [this.land, this.city, this.#layers.get("counties") ?? []].map(countSegments);
    const onFrame = onFrameOf(this.land);
    const isCoast = (key, from, to) => !(land.has(key) && city.has(key)) && !onFrame(from, to);
    this.coast = linesOf([...this.land, ...this.city], isCoast);
    this.border = linesOf(this.city, (key) => land.has(key));
    this.countyLines = linesOf(this.#layers.get("counties") ?? [], (key) => counties.get(key) > 1);
    this.innerLines = (layer) => linesOf(this.#layers.get(layer) ?? [], (key) => !city.has(key));
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
