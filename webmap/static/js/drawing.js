/** A boundary drawn on the map of the workbench: corners moved, added and removed by mouse, touch and keyboard. */

import { byId, sized } from "./dom.js";
import { fetchJson } from "./site.js";

const HANDLE_PX = { corner: 14, middle: 9 };
const SNAP_PX = 12;
const STEP_PX = { plain: 1, shifted: 10 };
const LEAST = 3; // corners of a ring
const DIGITS = 7;
const KNOWN = ["counties", "towns", "zones"]; // whose lines corners snap to, beside the place's own layer

/** Return the rings of a geometry, each open: [[[lon, lat], …], …] for every polygon. */
function toPolygons({ type, coordinates }) {
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  return polygons.map((rings) => rings.map((ring) => ring.slice(0, -1).map(([lon, lat]) => [lon, lat])));
}

function toGeometry(polygons) {
  const round = (value) => Number(value.toFixed(DIGITS));
  const close = (ring) => [...ring, ring[0]].map((at) => at.map(round));
  return { type: "MultiPolygon", coordinates: polygons.map((rings) => rings.map(close)) };
}

const toLatLngs = (polygons) => polygons.map((rings) => rings.map((ring) => ring.map(([lon, lat]) => [lat, lon])));

/**
 * The lines that corners snap to: those of every feature but the one that is drawn.
 *
 * They are measured in projected pixels: those of a layer are whole numbers, metres beside a line.
 */
function createSnapping(map, features) {
  const lines = features.flatMap(({ geometry }) => toPolygons(geometry).flat());
  return (latlng) => {
    const at = map.project(latlng);
    const near = L.latLngBounds(map.unproject(at.subtract([SNAP_PX, SNAP_PX])), map.unproject(at.add([SNAP_PX, SNAP_PX])));
    let [best, least] = [null, SNAP_PX];
    const offer = (point, bonus) => {
      const distance = at.distanceTo(point) - bonus;
      if (distance < least) [best, least] = [point, distance];
    };
    for (const ring of lines) {
      for (let i = 0; i < ring.length; i += 1) {
        const [from, to] = [ring[i], ring[(i + 1) % ring.length]];
        const box = L.latLngBounds([from[1], from[0]], [to[1], to[0]]);
        if (!near.intersects(box)) continue;
        const [a, b] = [from, to].map(([lon, lat]) => map.project([lat, lon]));
        offer(L.LineUtil.closestPointOnSegment(at, a, b), 0);
        offer(a, SNAP_PX / 2); // a corner goes before the line it is on
      }
    }
    return best && map.unproject(best);
  };
}

/** Return how much larger what is touched by a finger has to be. */
const coarse = () => (window.matchMedia("(pointer: coarse)").matches ? 2 : 1);

/** Handles that would lie over others cannot be told apart: of them only the first is shown. */
class Room {
  constructor(size) {
    this.size = size;
    this.taken = new Map();
  }

  take(point) {
    const [column, row] = [point.x, point.y].map((value) => Math.floor(value / this.size));
    for (let x = column - 1; x <= column + 1; x += 1) {
      for (let y = row - 1; y <= row + 1; y += 1) {
        const near = this.taken.get(`${x} ${y}`);
        if (near && near.distanceTo(point) < this.size) return false;
      }
    }
    this.taken.set(`${column} ${row}`, point);
    return true;
  }
}

class Drawing {
  constructor(box, own, features) {
    this.box = box;
    this.said = document.querySelector(".draw-said");
    this.map = L.map(box, { keyboard: false, attributionControl: false, doubleClickZoom: false, zoomControl: false });
    L.control.zoom({ position: "bottomright", zoomInTitle: box.dataset.zoomIn, zoomOutTitle: box.dataset.zoomOut }).addTo(this.map);
    this.snap = createSnapping(this.map, features);
    this.polygons = toPolygons(own.geometry);
    this.first = JSON.stringify(this.polygons);
    this.past = [];
    this.current = null; // [polygon, ring, corner]
    this.restore(`drawing:${own.id}`);
    this.map.fitBounds(L.geoJSON(own).getBounds()); // nothing can be drawn before
    L.geoJSON(features, { interactive: false, style: { className: "draw-other", weight: 1 } }).addTo(this.map);
    L.geoJSON(own, { interactive: false, style: { className: "draw-old", weight: 1.4, fill: false } }).addTo(this.map);
    this.shape = L.polygon(toLatLngs(this.polygons), { interactive: false, className: "draw-new", weight: 2 }).addTo(this.map);
    this.handles = L.layerGroup().addTo(this.map);
    this.map.on("moveend zoomend", () => this.showHandles());
    this.showHandles();
  }

  /** Take up what was drawn in this tab and has not arrived: a session may have ended meanwhile. */
  restore(key) {
    this.key = key;
    const kept = sessionStorage.getItem(key);
    if (!kept) return;
    this.keep();
    this.polygons = JSON.parse(kept);
  }

  ring([polygon, ring]) {
    return this.polygons[polygon][ring];
  }

  /** Return every corner as [polygon, ring, corner]. */
  list() {
    return this.polygons.flatMap((rings, p) => rings.flatMap((ring, r) => ring.map((_, i) => [p, r, i])));
  }

  latLng(key) {
    const [lon, lat] = this.ring(key)[key[2]];
    return L.latLng(lat, lon);
  }

  showHandles() {
    this.handles.clearLayers();
    const view = this.map.getBounds().pad(0.05);
    const inView = this.list().filter((key) => view.contains(this.latLng(key)));
    const isCurrent = (key) => String(key) === String(this.current);
    const room = new Room(HANDLE_PX.corner * coarse());
    const shown = [...inView.filter(isCurrent), ...inView.filter((key) => !isCurrent(key))].filter((key) => room.take(this.toPoint(key)));
    for (const key of shown) {
      const [p, r, i] = key;
      const at = this.toPoint(key).add(this.toPoint([p, r, (i + 1) % this.ring(key).length])).divideBy(2);
      const middle = this.map.unproject(at);
      if (room.take(at)) this.addHandle(middle, "middle", () => this.insertAfter(key, middle));
    }
    for (const key of shown) this.addHandle(this.latLng(key), "corner", () => key);
    this.tell(shown.length < inView.length ? this.box.dataset.closer : "");
  }

  toPoint(key) {
    return this.map.project(this.latLng(key));
  }

  /** Add a handle; `take` returns the corner that it moves, once it is taken. */
  addHandle(at, kind, take) {
    const size = HANDLE_PX[kind] * coarse();
    const chosen = kind === "corner" && String(take()) === String(this.current);
    const icon = L.divIcon({ className: `draw-${kind}${chosen ? " chosen" : ""}`, iconSize: [size, size] });
    const handle = L.marker(at, { icon, draggable: true, keyboard: false }).addTo(this.handles);
    let key = null;
    handle.on("dragstart", () => {
      this.keep();
      key = take();
      this.current = key;
    });
    handle.on("drag", () => {
      const found = byId("draw-snap").checked ? this.snap(handle.getLatLng()) : null;
      this.put(key, found ?? handle.getLatLng());
      this.snapped = Boolean(found);
    });
    handle.on("dragend", () => this.finish());
    handle.on("click", () => {
      if (kind === "middle") this.keep();
      this.current = take();
      this.finish();
    });
  }

  put(key, { lat, lng }) {
    this.ring(key)[key[2]] = [lng, lat];
    this.shape.setLatLngs(toLatLngs(this.polygons));
  }

  /** Remember how it is now, for undo. */
  keep() {
    this.past.push(JSON.stringify(this.polygons));
  }

  finish() {
    this.shape.setLatLngs(toLatLngs(this.polygons));
    this.showHandles();
    this.tellCurrent();
    if (this.changed) sessionStorage.setItem(this.key, JSON.stringify(this.polygons));
    else sessionStorage.removeItem(this.key);
    this.box.dispatchEvent(new CustomEvent("drawn"));
  }

  insertAfter([p, r, i], { lat, lng }) {
    this.polygons[p][r].splice(i + 1, 0, [lng, lat]);
    return [p, r, i + 1];
  }

  tell(text) {
    this.said.textContent = text;
  }

  tellCurrent() {
    if (!this.current) return;
    const all = this.list();
    const { lat, lng } = this.latLng(this.current);
    const values = { number: all.findIndex((key) => String(key) === String(this.current)) + 1, count: all.length, lon: lng.toFixed(6), lat: lat.toFixed(6) };
    const text = this.box.dataset.vertex.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    this.tell(this.snapped ? `${text} ${this.box.dataset.snapped}` : text);
    this.snapped = false;
  }

  /** Go to the corner so many on; without one, to the first that is in view. */
  go(steps) {
    const all = this.list();
    const at = all.findIndex((key) => String(key) === String(this.current));
    const start = all.findIndex((key) => this.map.getBounds().contains(this.latLng(key)));
    this.current = all[at < 0 ? Math.max(start, 0) : (at + steps + all.length) % all.length];
    this.map.panInside(this.latLng(this.current), { padding: [40, 40], animate: false });
    this.showHandles();
    this.tellCurrent();
  }

  nudge(x, y, step) {
    if (!this.current) return this.go(0);
    this.keep();
    this.put(this.current, this.map.unproject(this.toPoint(this.current).add([x * step, y * step])));
    this.map.panInside(this.latLng(this.current), { padding: [40, 40], animate: false });
    this.finish();
  }

  snapCurrent() {
    const found = this.current && this.snap(this.latLng(this.current));
    if (!found) return;
    this.keep();
    this.put(this.current, found);
    this.snapped = true;
    this.finish();
  }

  insert() {
    if (!this.current) return this.go(0);
    const [p, r, i] = this.current;
    const [from, to] = [this.latLng(this.current), this.latLng([p, r, (i + 1) % this.ring(this.current).length])];
    this.keep();
    this.current = this.insertAfter(this.current, L.latLng((from.lat + to.lat) / 2, (from.lng + to.lng) / 2));
    this.finish();
  }

  remove() {
    if (!this.current) return;
    const ring = this.ring(this.current);
    if (ring.length <= LEAST) return this.tell(this.box.dataset.least);
    this.keep();
    ring.splice(this.current[2], 1);
    this.current[2] %= ring.length;
    this.finish();
  }

  undo() {
    if (!this.past.length) return;
    this.polygons = JSON.parse(this.past.pop());
    this.current = null;
    this.finish();
  }

  reset() {
    this.keep();
    this.polygons = JSON.parse(this.first);
    this.current = null;
    this.finish();
  }

  get changed() {
    return JSON.stringify(this.polygons) !== this.first;
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function bindKeys(drawing) {
  const acts = {
    n: () => drawing.go(1),
    p: () => drawing.go(-1),
    i: () => drawing.insert(),
    s: () => drawing.snapCurrent(),
    u: () => drawing.undo(),
    Delete: () => drawing.remove(),
    Backspace: () => drawing.remove(),
    "+": () => drawing.map.zoomIn(),
    "-": () => drawing.map.zoomOut(),
  };
  drawing.box.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(arrow || acts[event.key])) return;
    event.preventDefault();
    if (arrow) drawing.nudge(...arrow, event.shiftKey ? STEP_PX.shifted : STEP_PX.plain);
    else acts[event.key]();
  });
  const tools = { previous: acts.p, next: acts.n, insert: acts.i, remove: acts.Delete, undo: acts.u, reset: () => drawing.reset() };
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", tools[button.dataset.act]);
}

/** Send what was drawn as the file that somebody without one would have. */
function bindForm(drawing, own) {
  const form = document.querySelector(".draw-form");
  const button = form.querySelector("button");
  const allow = () => (button.disabled = !drawing.changed);
  allow();
  drawing.box.addEventListener("drawn", allow);
  form.addEventListener("submit", () => {
    sessionStorage.setItem("sent", drawing.key);
    const feature = { type: "Feature", properties: { id: own.id }, geometry: toGeometry(drawing.polygons) };
    const sent = new DataTransfer();
    sent.items.add(new File([JSON.stringify(feature)], `${own.id}.geojson`, { type: "application/geo+json" }));
    form.elements.file.files = sent.files;
  });
}

async function start(box) {
  const { place, layer } = box.dataset;
  try {
    const layers = [...new Set([layer, ...KNOWN])];
    const read = await Promise.all(layers.map((id) => fetchJson(`/data/${id}.geojson`)));
    const areas = read.map(({ features }) => features.filter(({ geometry }) => geometry?.type.endsWith("Polygon")));
    const own = areas[0].find(({ id }) => id === place);
    await sized(box);
    const drawing = new Drawing(box, own, areas.flat().filter((feature) => feature !== own));
    bindKeys(drawing);
    bindForm(drawing, own);
    box.dataset.ready = "yes";
  } catch (error) {
    document.querySelector(".draw-said").textContent = box.dataset.failed;
    throw error;
  }
}

start(byId("draw"));
