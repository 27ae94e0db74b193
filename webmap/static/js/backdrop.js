/** An operator's basemap under the figures: roads, rail, water, built-up land, names; loaded by zoom and view. */

import { STYLE } from "./cartography.js";
import { fetchJson, lang } from "./site.js";

const INKS = ["built", "water", "road", "major", "core", "rail", "gap"];
const PATH_ZOOM = 14; // paths are kept in pixels of this zoom from the corner of their cell
const MOST_RATIO = 2; // canvas pixels a pixel of the page
/** Of the view, drawn around it so that a drag shows no edge. */
export const PADDING = 0.2;
const [APART_X, APART_Y] = [110, 48]; // pixels between two names of a kind

export function createBackdrop(app) {
  const { map, payload } = app;
  const { basemap } = payload;
  app.backdrop = { names: () => [], onNames: () => {} };
  if (!basemap || map.getContainer().closest(".with-tiles")) return; // tiles have all of it
  const cells = new Cells(map, basemap);
  let inks = readInks(map.getContainer());
  const sheet = new Sheet((context, bounds) => paint(context, bounds, map, { cells: cells.inView(), inks })).addTo(map);
  const listeners = [];
  let named = []; // the cells that the names were last asked of

  const load = async () => {
    if (await cells.load()) sheet.repaint();
    const now = cells.inView();
    if (now.length === named.length && now.every((cell, index) => cell === named[index])) return;
    for (const listener of listeners) listener();
  };

  map.on("moveend", load);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    inks = readInks(map.getContainer());
    sheet.repaint();
  });
  Object.assign(app.backdrop, {
    names: (zoom) => {
      named = cells.inView();
      return thin(
        named.flatMap((cell) => cell.names.filter((one) => zoom >= one.from)),
        map,
      );
    },
    onNames: (listener) => listeners.push(listener),
  });
  load();
}

/** Leave out names that stand close to one of the same kind: a map full of villages shows nothing else. */
function thin(names, map) {
  const taken = new Map();
  return names
    .sort((a, b) => a.priority - b.priority)
    .filter(({ at, type }) => {
      const { x, y } = map.latLngToLayerPoint(at);
      const near = taken.get(type) ?? taken.set(type, []).get(type);
      if (near.some((one) => Math.abs(one.x - x) < APART_X && Math.abs(one.y - y) < APART_Y)) return false;
      return near.push({ x, y });
    });
}

/* The cells of the basemap, each loaded when it first comes into view. */

class Cells {
  #map;
  #basemap;
  #loaded = new Map();

  constructor(map, basemap) {
    this.#map = map;
    this.#basemap = basemap;
  }

  /** Load what the view shows and is not there yet; return whether anything came. */
  async load() {
    const wanted = [...this.#namesOf(0), ...this.#namesOf(this.#level())];
    const missing = [...new Set(wanted)].filter((name) => !this.#loaded.has(name));
    const found = await Promise.all(missing.map((name) => this.#fetch(name)));
    return found.some(Boolean);
  }

  /** Return the cells in view of the finest range of which all are there. */
  inView() {
    for (let level = this.#level(); level >= 0; level--) {
      const cells = this.#namesOf(level).map((name) => this.#loaded.get(name));
      if (cells.every(Boolean)) return cells;
    }
    return [];
  }

  #level() {
    const zoom = this.#map.getZoom();
    return this.#basemap.ranges.findLastIndex((range) => zoom >= range.zoom);
  }

  /** Return the names of the cells of a range that the view and its surroundings meet. */
  #namesOf(level) {
    const view = this.#map.getBounds().pad(PADDING);
    return this.#basemap.ranges[level].cells
      .filter((cell) => view.intersects(this.#boundsOf(level, cell)))
      .map((cell) => `${level}/${cell}`);
  }

  #boundsOf(level, cell) {
    const [west, south, east, north] = this.#basemap.window;
    const { across } = this.#basemap.ranges[level];
    const [column, row] = cell.split("-").map(Number);
    const [width, height] = [(east - west) / across, (north - south) / across];
    const corner = L.latLng(south + row * height, west + column * width);
    return L.latLngBounds(corner, [corner.lat + height, corner.lng + width]);
  }

  async #fetch(name) {
    this.#loaded.set(name, null); // asked for
    try {
      const cell = await fetchJson(`${this.#basemap.base}/${name}.json`);
      const [level, place] = name.split("/");
      const corner = this.#boundsOf(Number(level), place).getSouthWest();
      this.#loaded.set(name, decode(cell, corner, this.#basemap.ranges[level].step));
      return true;
    } catch {
      this.#loaded.delete(name); // the next move tries again
      return false;
    }
  }
}

/** Return `{corner, paths, names}` of a cell: a path of each kind and rank, in pixels from its corner. */
function decode({ names = [], ...drawn }, corner, step) {
  const project = (lat, lng) => L.CRS.EPSG3857.latLngToPoint(L.latLng(lat, lng), PATH_ZOOM);
  const origin = project(corner.lat, corner.lng);
  const paths = new Map();
  for (const [key, parts] of Object.entries(drawn)) {
    const path = new Path2D();
    const polygons = typeof parts[0][0] !== "number";
    for (const line of polygons ? parts.flat() : parts) trace(path, line, polygons);
    paths.set(key, path);
  }
  return { corner, paths, names: names.map((row) => toName(row, corner, step)) };

  function trace(path, line, closed) {
    let [x, y] = [0, 0];
    for (let at = 0; at < line.length; at += 2) {
      x += line[at];
      y += line[at + 1];
      const point = project(corner.lat + y * step, corner.lng + x * step);
      if (at) path.lineTo(point.x - origin.x, point.y - origin.y);
      else path.moveTo(point.x - origin.x, point.y - origin.y);
    }
    if (closed) path.closePath();
  }
}

/** Return the label of a name: Chinese where there is none in the page's language. */
function toName([kind, rank, x, y, zh, en, ko], corner, step) {
  const { from, priority, type, mark } = STYLE.basemap_names[kind];
  return {
    text: { en, ko }[lang()] || zh,
    at: [corner.lat + y * step, corner.lng + x * step],
    from: from[Math.min(rank, from.length) - 1],
    priority: priority + rank / 10,
    type,
    mark,
  };
}

/* One canvas for the view and some room around it; between two paintings the browser moves and scales it. */

const Sheet = L.Renderer.extend({
  initialize(draw) {
    L.Renderer.prototype.initialize.call(this, { pane: "land", padding: PADDING });
    this._draw = draw;
  },

  _initContainer() {
    this._container = document.createElement("canvas");
    this._container.className = "backdrop";
  },

  _destroyContainer() {
    this._container.remove();
  },

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    const size = this._bounds.getSize();
    const ratio = Math.min(window.devicePixelRatio || 1, MOST_RATIO);
    Object.assign(this._container, { width: size.x * ratio, height: size.y * ratio });
    Object.assign(this._container.style, { width: `${size.x}px`, height: `${size.y}px` });
    L.DomUtil.setPosition(this._container, this._bounds.min);
    this.repaint();
  },

  repaint() {
    const context = this._container.getContext("2d");
    context.resetTransform();
    context.clearRect(0, 0, this._container.width, this._container.height);
    this._draw(context, this._bounds);
  },
});

function paint(context, bounds, map, { cells, inks }) {
  const zoom = map.getZoom();
  const ratio = context.canvas.width / bounds.getSize().x;
  const scale = map.getZoomScale(zoom, PATH_ZOOM);
  Object.assign(context, { lineCap: "round", lineJoin: "round" });
  const each = (keys, draw) => {
    for (const { corner, paths } of cells) {
      const { x, y } = map.latLngToLayerPoint(corner).subtract(bounds.min);
      context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
      for (const key of keys) if (paths.has(key)) draw(paths.get(key));
    }
  };
  for (const { key, ink } of STYLE.areas) {
    context.fillStyle = inks[ink];
    each([key], (path) => context.fill(path, "evenodd"));
  }
  for (const { keys, ink, from, at, width, dash } of STYLE.lines) {
    if (zoom < from) continue;
    context.strokeStyle = inks[ink];
    context.lineWidth = between(zoom, at, width) / scale;
    context.setLineDash(dash ? [dash / scale, dash / scale] : []);
    context.lineCap = dash ? "butt" : "round";
    each(keys, (path) => context.stroke(path));
  }
}

/** Return the value at a zoom between those at two zooms, and beyond them as at the nearer one. */
function between(zoom, [low, high], [first, last]) {
  const share = Math.min(1, Math.max(0, (zoom - low) / (high - low)));
  return first + share * (last - first);
}

/** Return the inks as the style sheet has them, by day or night. */
function readInks(container) {
  const style = getComputedStyle(container);
  return Object.fromEntries(INKS.map((ink) => [ink, style.getPropertyValue(`--base-${ink}`).trim()]));
}
