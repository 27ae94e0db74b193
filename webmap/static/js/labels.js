/** Draw the names: with a halo of the ground, hidden rather than overlapping, anew at each zoom. */

import { narrow, svg } from "./dom.js";
import { setText, styleOf } from "./lettering.js";
import { wantedNames } from "./names.js";
import { Overlay } from "./overlay.js";
import { placeLabels } from "./placing.js";
import { badge } from "./symbols.js";
import { lang } from "./words.js";

const BADGE = 17;
const BADGES_PER_ROW = 6;
const SMALL = 34; // pixels; a polygon below this does not hold a name
const LIMITS = { "five-zones": 130, belts: 150, "marine-cores": 150, parks: 130, zones: 120, point: 150 };
// Small quiet marks of the ground.
const MARKS = {
  town: "M-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0z",
  core: "M0-6.5 1.6-2.1 6.2-2 2.6.9 3.8 5.3 0 2.7-3.8 5.3-2.6.9-6.2-2-1.6-2.1z",
  centre: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
  seaport: "M0-4.5v9M-2.5-2h5M-4 1q0 3.5 4 3.5t4-3.5",
  airport: "M0-5v9M-5 .5 0-2 5 .5M-2 4.2 0 3.2l2 1",
  "railway-station": "M-4-3.4h8v5.4h-8zM-4-.4h8M-2.6 2-4 4.4M2.6 2 4 4.4",
};

export function createLabels(app) {
  const { map, state, shapes } = app;
  const overlay = new Overlay(map, "label", "labels");

  function draw() {
    const items = wantedNames(app, map.getZoom()).map((name) => measure(name, app, overlay.root));
    const placed = placeLabels(items.filter(fits), symbolBoxes(app), frameOf(map));
    const shown = [...placed].filter(([, offset]) => offset);
    overlay.show(shown.map(([item, offset]) => ({ at: item.at, node: build(item, offset) })));
    fade();
  }

  function fade() {
    const now = state.get();
    const filtered = app.catalogue.isFiltered(now);
    const focus = app.catalogue.focusOf(now);
    for (const { node } of overlay.parts) {
      const feature = app.catalogue.features.get(node.dataset.for);
      const out = feature && (filtered ? !app.catalogue.matches(feature, now) : focus && focus !== feature.id);
      node.classList.toggle("is-faded", Boolean(out));
    }
  }

  map.on("zoomend viewreset", draw);
  state.subscribe((now, before) => (now.theme === before.theme && now.zone === before.zone ? fade() : draw()));
  shapes.onChange(draw);
  narrow.addEventListener("change", draw);
  document.fonts?.ready.then(draw);
  draw();
}

function measure(name, app, root) {
  const { map, spread } = app;
  const extent = extentOf(name.id, app);
  const limit = (LIMITS[name.type] ?? 400) * (lang() === "en" ? 1.5 : 1) * (narrow.matches ? 0.8 : 1);
  const text = setText(name.text, styleOf(`label-${name.type}`, root), limit);
  const rows = Math.ceil((name.badges?.length ?? 0) / BADGES_PER_ROW);
  const columns = Math.min(name.badges?.length ?? 0, BADGES_PER_ROW);
  const width = Math.max(text.width, columns * BADGE);
  const height = text.height + rows * BADGE;
  const { x, y } = map.latLngToLayerPoint(name.at);
  const { x: right, y: down } = spread.get(name.id) ?? { x: 0, y: 0 };
  const offsets = offsetsFor({ ...name, extent }, width, height).map(([dx, dy]) => [dx + right, dy + down]);
  return { ...name, ...text, width, textHeight: text.height, height, x, y, extent, offsets };
}

function offsetsFor(name, width, height) {
  const small = name.extent < SMALL;
  if (name.mark || name.point || small) {
    const gap = small ? name.extent / 2 + 4 : name.point ? 13 : name.type === "gateway" ? 8 : 5;
    const [side, above] = [width / 2 + gap, height / 2 + gap - 2];
    return [
      [side, 0],
      [-side, 0],
      [0, -above],
      [0, above],
      [side, -8],
      [-side, -8],
    ];
  }
  const [x, y] = [width * 0.3, height * 0.7];
  return [
    [0, 0],
    [0, -y],
    [0, y],
    [-x, 0],
    [x, 0],
    [-x, -y],
    [x, -y],
    [-x, y],
    [x, y],
  ];
}

/** A polygon much smaller than its name is left without one, unless it must have it: then beside it. */
function fits(item) {
  return item.must || item.priority < 0 || !(item.extent < Math.min(item.width * 0.5, SMALL));
}

/** Return the longer side in pixels of a feature's largest polygon; undefined for what is no polygon. */
function extentOf(id, { map, shapes }) {
  const sizes = shapes.polygon(id)?.map(([ring]) => {
    const { x, y } = L.bounds(ring.map((point) => map.latLngToLayerPoint(point))).getSize();
    return Math.max(x, y);
  });
  return sizes && Math.max(...sizes);
}

/** Return the pixels that are in view. */
function frameOf(map) {
  const { min, max } = map.getPixelBounds();
  const origin = map.getPixelOrigin();
  return [min.x - origin.x, min.y - origin.y, max.x - origin.x, max.y - origin.y];
}

function symbolBoxes({ spread, catalogue, map }) {
  return [...spread].map(([id, { x, y }]) => {
    const at = map.latLngToLayerPoint(catalogue.anchorOf(catalogue.features.get(id)));
    return [at.x + x - 10, at.y + y - 10, at.x + x + 10, at.y + y + 10];
  });
}

function build(item, offset) {
  const [dx, dy] = offset;
  const node = svg("g", {
    class: `label label-${item.type}`,
    dataset: item.id ? { for: item.id } : {},
    "aria-hidden": "true",
  });
  if (item.mark) node.append(svg("path", { class: `place-mark mark-${item.mark}`, d: MARKS[item.mark] }));
  if (!item.offsets.includes(offset) && isApart(item, offset))
    node.append(svg("path", { class: "leader", d: `M0 0L${dx} ${dy}` }));
  const top = dy - item.height / 2;
  item.lines.forEach((line, index) => {
    const y = top + item.lineHeight * (index + 0.5);
    node.append(svg("text", { x: dx, y, dy: "0.35em", text: line }));
  });
  node.append(...badgesAt(item.badges ?? [], dx, top + item.textHeight + 1));
  return node;
}

/** Whether a label lies so far from what it names that a line must tie the two. */
function isApart({ width, height }, [dx, dy]) {
  return Math.hypot(Math.max(0, Math.abs(dx) - width / 2), Math.max(0, Math.abs(dy) - height / 2)) > 8;
}

function badgesAt(badges, centre, top) {
  return badges.map((one, index) => {
    const row = Math.floor(index / BADGES_PER_ROW);
    const inRow = Math.min(BADGES_PER_ROW, badges.length - row * BADGES_PER_ROW);
    const x = centre - (inRow * BADGE) / 2 + (index % BADGES_PER_ROW) * BADGE + 1;
    return badge(one, x, top + row * BADGE);
  });
}
