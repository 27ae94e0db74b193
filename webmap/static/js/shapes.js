/** Geometry of the figures, decoded from topology: coarse at once, finer when the reader zooms in. */

import { fetchJson } from "./site.js";

/* Decode TopoJSON: polygons as [polygon][ring][point], lines as [line][point], points as [lat, lon]. */

/**
 * Return the geometries of a topology.
 *
 * `geometries(object)` lists them still encoded, `polygons(geometry)` and `lines(geometry)` decode one:
 * most are never drawn, so none is decoded before it is asked for.
 */
function decodeTopology(topology) {
  const arcs = topology.arcs.map((arc) => decodeArc(arc, topology.transform));
  const doubts = new Map(topology.doubts.flatMap((doubt) => doubt.arcs.map((index) => [index, doubt])));
  return {
    edges: (geometry) => toEdges(geometry, arcs, doubts),
    geometries: (name) => flatten(topology.objects[name]),
    polygons: (geometry) => toPolygons(geometry).map((rings) => rings.map((ring) => stitch(arcs, ring))),
    lines: (geometry) => toLines(geometry).map((line) => stitch(arcs, line)),
  };
}

function decodeArc(arc, transform) {
  if (!transform) return arc.map(([lon, lat]) => [lat, lon]);
  const [scaleX, scaleY] = transform.scale;
  const [shiftX, shiftY] = transform.translate;
  let x = 0;
  let y = 0;
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return [y * scaleY + shiftY, x * scaleX + shiftX];
  });
}

const plain = (index) => (index < 0 ? ~index : index);

/** Return the edge in stretches `{doubt, arc, line}`, each of one arc or of several known ones in a row. */
function toEdges(geometry, arcs, doubts) {
  const stretches = [];
  for (const ring of toPolygons(geometry).flat()) {
    let run = [];
    const close = () => {
      if (run.length) stretches.push({ doubt: null, arc: plain(run[0]), line: stitch(arcs, run) });
      run = [];
    };
    for (const index of ring) {
      const doubt = doubts.get(plain(index));
      if (doubt) {
        close();
        stretches.push({ doubt, arc: plain(index), line: stitch(arcs, [index]) });
      } else run.push(index);
    }
    close();
  }
  return stretches;
}

/** Join arcs end to end; a negative index is the complement of the arc that runs backwards. */
function stitch(arcs, indexes) {
  const points = [];
  for (const index of indexes) {
    const arc = index < 0 ? (arcs[~index].toReversed?.() ?? [...arcs[~index]].reverse()) : arcs[index];
    points.push(...(points.length ? arc.slice(1) : arc));
  }
  return points;
}

function flatten(geometry) {
  if (!geometry) return [];
  return geometry.type === "GeometryCollection" ? geometry.geometries.flatMap(flatten) : [geometry];
}

function toPolygons(geometry) {
  if (geometry.type === "Polygon") return [geometry.arcs];
  return geometry.type === "MultiPolygon" ? geometry.arcs : [];
}

function toLines(geometry) {
  if (geometry.type === "LineString") return [geometry.arcs];
  return geometry.type === "MultiLineString" ? geometry.arcs : [];
}

/* A renderer whose lines turn softly: no corner of the data shows, however close one looks. */

const CUT_PX = 2.5; // that a corner is cut by at most: a slight bend turns long before it, a sharp one just there
const SLIGHT = 0.02; // sine of half a bend below which none shows

const SoftRenderer = L.SVG.extend({
  _updatePoly(layer, closed) {
    this._setPath(layer, layer._parts.map((points) => toSoftPath(points, closed)).join("") || "M0 0");
  },
});

/** Return a renderer for a pane; one for all layers of the pane, as each costs the browser a layer. */
export const createRenderer = (pane) => new SoftRenderer({ pane, padding: 0.5 });

/** Return path data in which each corner is a curve that begins and ends on the lines beside it. */
function toSoftPath(points, closed) {
  const count = points.length;
  if (count < 3) return count ? `M${points.map(({ x, y }) => write(x, y)).join("L")}${closed ? "z" : ""}` : "";
  const [first, last] = [points[0], points[count - 1]];
  let path = closed ? "" : write(first.x, first.y);
  let [before, here] = closed ? [last, first] : [first, points[1]];
  let came = distance(before, here);
  let reached = ""; // where the last curve ended: that of a close corner begins there
  for (let at = closed ? 1 : 2; at < (closed ? count + 1 : count); at += 1) {
    const after = points[at % count];
    const goes = distance(here, after);
    const straight = ((here.x - before.x) * (after.x - here.x) + (here.y - before.y) * (after.y - here.y)) / (came * goes || 1);
    const halfBend = Math.sqrt(Math.max((1 - straight) / 2, 0)); // its sine
    const corner = write(here.x, here.y);
    if (halfBend < SLIGHT) path += `L${corner}`;
    else {
      const turn = (2 * CUT_PX) / halfBend;
      const from = towards(here, before, came, turn);
      if (from !== reached) path += `L${from}`;
      reached = towards(here, after, goes, turn);
      path += `Q${corner} ${reached}`;
    }
    [before, here, came] = [here, after, goes];
  }
  return closed ? `M${path.slice(1)}z` : `M${path}L${write(last.x, last.y)}`;
}

const write = (x, y) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;

const distance = (from, to) => Math.sqrt((to.x - from.x) ** 2 + (to.y - from.y) ** 2); // hypot takes many times as long

function towards(from, to, far, turn) {
  const share = far ? Math.min(0.5, turn / far) : 0;
  return write(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share);
}

/* The geometry that is drawn: the overview first, the full detail once someone looks closely. */

const DETAIL_ZOOM = 10.5;

export class Shapes {
  #encoded = new Map();
  #decoded = new Map();
  #decode = null;
  #listeners = [];
  #asked = false;
  #fine = false;
  #city = null;

  constructor(topology) {
    this.#take(topology);
  }

  has = (id) => this.#encoded.has(id);

  /** The polygons of a place, or of `neighbour` and the city's own id for the land. */
  polygon = (id) => this.#once(id, (geometry) => this.#decode.polygons(geometry));

  /** The edge of a place in stretches `{doubt, arc, line}`; `doubt` is null where the line is known. */
  edges = (id) => (this.has(id) ? this.#decode.edges(this.#encoded.get(id)) : []);

  /** Lines of the base map: coast, border, county-lines, zone-lines, towns. */
  lines = (name) => this.#once(name, (geometry) => this.#decode.lines(geometry)) ?? [];

  boundsOf = (id) => (this.has(id) ? L.latLngBounds(this.polygon(id).flat(2)) : null);

  /** Options for Leaflet: the overview is simplified already and small enough to draw whole. */
  get drawing() {
    return this.#fine ? { smoothFactor: 0.4 } : { smoothFactor: 0, noClip: true };
  }

  /** Call `listener` when the geometry has become finer. */
  onChange = (listener) => this.#listeners.push(listener);

  get land() {
    return this.polygon("neighbour");
  }

  get city() {
    return this.polygon(this.#city);
  }

  /** The polygons of each water that the coast closes to land. */
  get waters() {
    return this.#decode.geometries("water").map(({ id }) => this.polygon(id));
  }

  #once(id, decode) {
    if (!this.#decoded.has(id) && this.has(id)) this.#decoded.set(id, decode(this.#encoded.get(id)));
    return this.#decoded.get(id);
  }

  #take(topology) {
    this.#decode = decodeTopology(topology);
    this.#decoded.clear();
    for (const name of Object.keys(topology.objects)) {
      for (const geometry of this.#decode.geometries(name)) this.#encoded.set(geometry.id, geometry);
    }
    this.#city = this.#decode.geometries("city")[0].id;
  }

  /** Load the full geometry once the map is close enough to show it. */
  refineOn(map, url) {
    const refine = async () => {
      if (this.#asked || map.getZoom() < DETAIL_ZOOM) return;
      this.#asked = true;
      try {
        this.#take(await fetchJson(url));
        this.#fine = true;
        for (const listener of this.#listeners) listener();
      } catch {
        this.#asked = false; // the overview stays; the next zoom tries again
      }
    };
    map.on("zoomend", refine);
    refine();
  }
}
