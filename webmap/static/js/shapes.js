/** The geometry that is drawn: the overview first, the full detail once someone looks closely. */

import { fetchJson } from "./data.js";
import { decodeTopology } from "./topology.js";

const DETAIL_ZOOM = 12;
const BASE = new Set(["land", "city", "towns"]);

export class Shapes {
  #polygons = new Map();
  #listeners = [];
  #asked = false;
  #inner = () => [];

  constructor(topology) {
    this.#take(topology);
  }

  has = (id) => this.#polygons.has(id);

  polygon = (id) => this.#polygons.get(id);

  boundsOf = (id) => (this.has(id) ? L.latLngBounds(this.polygon(id).flat(2)) : null);

  /** Return the edges of a layer's polygons that are not the city's own edge. */
  innerLines = (layer) => this.#inner(layer);

  /** Call `listener` when the geometry has become finer. */
  onChange = (listener) => this.#listeners.push(listener);

  #take(topology) {
    const decoded = decodeTopology(topology);
    for (const name of Object.keys(topology.objects)) {
      if (BASE.has(name)) continue;
      for (const [id, polygons] of decoded.polygons(name)) this.#polygons.set(id, polygons);
    }
    this.land = [...decoded.polygons("land").values()].flat();
    this.city = [...decoded.polygons("city").values()].flat();
    this.towns = decoded.lines("towns");
    const count = (users, name) => [...users].filter((user) => user.startsWith(`${name}/`)).length;
    this.coast = decoded.borders((users) => count(users, "land") + count(users, "city") === 1);
    this.border = decoded.borders((users) => count(users, "land") > 0 && count(users, "city") > 0);
    this.countyLines = decoded.borders((users) => count(users, "counties") > 1);
    this.#inner = (layer) => decoded.borders((users) => count(users, layer) > 0 && count(users, "city") === 0);
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
