/** Names on the map: which are wanted, how they are set, and where each finds room. */

import { PADDING } from "./backdrop.js";
import { STYLE } from "./cartography.js";
import { enlargement, finish, narrow, svg } from "./dom.js";
import { Overlay } from "./ground.js";
import { COUNT } from "./points.js";
import { lang } from "./site.js";
import { badge } from "./symbols.js";

/* Measure and break the text of labels; the style sheet holds their type. */

const canvas = document.createElement("canvas").getContext("2d");
const styles = new Map();
let large = 1; // how much larger names and marks are on a large screen
const CJK = /[　-鿿가-힯]/;

/** Read `{font, size, spacing}` of each kind of label as the style sheet sets it: all together, for that is one reckoning. */
function readStyles(types, root) {
  const probes = [...new Set(types)].filter((type) => !styles.has(type)).map((type) => [type, svg("text", { class: `label label-${type}` })]);
  root.append(...probes.map(([, probe]) => probe));
  large = enlargement();
  for (const [type, probe] of probes) {
    const style = getComputedStyle(probe);
    styles.set(type, {
      font: `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`,
      size: Number.parseFloat(style.fontSize),
      spacing: Number.parseFloat(style.letterSpacing) || 0,
    });
  }
  for (const [, probe] of probes) probe.remove();
}

/** Return the lines of a text, each at most about `limit` pixels wide, and the size of them all. */
function setText(text, style, limit) {
  canvas.font = style.font;
  const widthOf = (line) => canvas.measureText(line).width + style.spacing * Math.max(0, [...line].length - 1);
  const count = Math.ceil(widthOf(text) / limit);
  const lines = count > 1 ? breakLines(text, count, widthOf) : [text];
  const lineHeight = Math.round(style.size * 1.2);
  return { lines, lineHeight, width: Math.max(...lines.map(widthOf)), height: lines.length * lineHeight };
}

/** Break into lines of like width: between words, or between characters where there are no spaces. */
function breakLines(text, count, widthOf) {
  if (!text.includes(" ") && CJK.test(text)) {
    const characters = [...text];
    const size = Math.ceil(characters.length / count);
    return Array.from({ length: count }, (_, index) => characters.slice(index * size, (index + 1) * size).join(""));
  }
  const aim = widthOf(text) / count;
  const lines = [""];
  for (const word of text.split(/(?<=[ –-])/)) {
    const current = lines.at(-1);
    const over = widthOf(current + word.trimEnd()) - aim;
    if (current && over > aim - widthOf(current)) lines.push(word);
    else lines[lines.length - 1] = current + word;
  }
  return lines.map((line) => line.trim());
}

/* Which names the map carries at a zoom: the theme's figures first, then the ground's. */

const SEATS = new Set(["city-seat", "county-seat"]);
const TOGETHER_PX = 24;
const NAMED_ALWAYS = new Set(["counties", "zones"]);

/** Return the labels wanted: `{id, text, at, type, priority, must, badges, mark, size}`. */
function wantedNames(app, zoom) {
  const theme = app.catalogue.themes.get(app.state.get().theme);
  const figures = figureNames(app, theme);
  const shown = new Set(figures.map((one) => one.text));
  const around = app.map.getBounds().pad(PADDING); // names there come into view when the map is dragged
  const ground = [
    ...landmarkNames(app, theme, zoom),
    ...countyNames(app, theme),
    ...gatewayNames(app, theme, zoom),
    ...townNames(app, zoom),
    ...app.backdrop.names(zoom),
  ].filter((one) => SEATS.has(one.type) || around.contains(one.at));
  const free = ground.filter((one) => !shown.has(one.text) && (one.type === "sea" || shown.add(one.text)));
  const seats = ground.filter((one) => SEATS.has(one.type) && !free.includes(one)); // named elsewhere, marked here
  return [...figures, ...free, ...seats.map((one) => ({ ...one, text: "" }))];
}

function figureNames({ catalogue, state }, theme) {
  const now = state.get();
  return catalogue
    .shownIn(now)
    .filter((one) => catalogue.isLocated(one))
    .map((one) => {
      const badges = badgesOf(catalogue, one, theme);
      return {
        id: one.id,
        text: nameOf(one),
        at: catalogue.anchorOf(one),
        type: typeOf(catalogue, one),
        limit: typeOf(catalogue, one) === "point" ? POINT_LIMIT : catalogue.layerOf(one).width,
        point: catalogue.isPoint(one),
        priority: one.id === now.zone ? -1 : pointOrFigure(catalogue, one),
        must: badges.length > 0 || NAMED_ALWAYS.has(one.layer), // the letters are what such a theme shows
        badges,
      };
    });
}

/** Return how a figure's name is set: as a point's, an area's, or by its layer. */
function typeOf(catalogue, feature) {
  if (catalogue.isPoint(feature) && !catalogue.isUnbounded(feature)) return "point";
  return catalogue.layerOf(feature).source === "areas" ? "areas" : feature.layer;
}

/** The short name where the window is narrow, and of parks, which lie close together. */
const nameOf = (feature) =>
  feature.short && (narrow.matches || feature.layer === "parks") ? feature.short : feature.name;

function pointOrFigure(catalogue, feature) {
  if (typeOf(catalogue, feature) === "point") return catalogue.isHollow(feature) ? 31 : 30;
  return catalogue.layerOf(feature).priority + 1 / (1 + (feature.area_km2 ?? 0));
}

function badgesOf(catalogue, feature, theme) {
  if (theme.colour_by === "cluster") return (feature.clusters ?? []).map((id) => catalogue.clusters.get(id));
  return theme.colour_by === "feature" && feature.letter ? [feature] : [];
}

function countyNames({ catalogue }, theme) {
  if (theme.layers.includes("counties")) return [];
  const counties = catalogue.featuresOf({ layers: ["counties"] });
  return counties.map((one) => ({ text: nameOf(one), at: catalogue.anchorOf(one), type: "county", priority: 40 }));
}

/** Landmarks from their zoom on; one that the plan makes the core of a place drawn here, always. */
function landmarkNames({ catalogue, map }, theme, zoom) {
  const isCore = (one) => theme.layers.includes(one.core_of);
  const spot = ({ at: [lon, lat] }) => map.latLngToLayerPoint([lat, lon]);
  const cores = catalogue.payload.landmarks.filter(isCore).map(spot);
  // A seat that falls together with a core at this zoom leaves it the place.
  const isFree = (one) => !SEATS.has(one.kind) || cores.every((core) => core.distanceTo(spot(one)) > TOGETHER_PX);
  return catalogue.payload.landmarks
    .filter(isFree)
    .filter((one) => isCore(one) || zoom >= (STYLE.labels[one.kind]?.from ?? 12))
    .map((one) => ({
      text: one.name,
      at: [one.at[1], one.at[0]],
      type: one.kind,
      priority: isCore(one) ? 6 : (STYLE.labels[one.kind]?.priority ?? 60),
      must: isCore(one) || one.kind === "city-seat",
      mark: isCore(one) ? "core" : (STYLE.labels[one.kind]?.mark ?? null),
    }));
}

function gatewayNames({ catalogue }, theme, zoom) {
  if (zoom < STYLE.labels.gateway.from || theme.layers.includes("gateways")) return [];
  return catalogue
    .featuresOf({ layers: ["gateways"] })
    .filter((one) => one.point)
    .map((one) => ({ text: one.name, at: catalogue.anchorOf(one), type: "gateway", priority: STYLE.labels.gateway.priority, mark: one.kind }));
}

function townNames({ catalogue }, zoom) {
  if (zoom < STYLE.labels.town.from) return [];
  return catalogue.payload.towns.map((one) => ({
    text: one.name,
    at: [one.at[1], one.at[0]],
    type: "town",
    priority: STYLE.labels.town.priority,
    mark: STYLE.labels.town.mark,
  }));
}

/* Place labels so that none covers another, nor the line of another: greedy, the important ones first. */

const GAP = 2;
const DIRECTIONS = Array.from({ length: 32 }, (_, index) => (index * Math.PI) / 16);
const FARTHEST = 200; // pixels that a label may be moved

/**
 * Return a Map of item to its offset [dx, dy], or null where it is to be hidden.
 *
 * An item is `{x, y, width, height, priority, must, offsets}`: the anchor and the box's size in
 * pixels, the offsets of the box's centre to try in turn. `must` items are moved, never hidden; a line
 * then ties them to their anchor, which crosses no label, symbol or other line. `taken` boxes are
 * `[left, top, right, bottom]`, and so is `frame`, what is in view: no label is cut at its edge.
 */
function* placeLabels(items, taken, frame) {
  const room = { boxes: [...taken], lines: [] };
  const placed = new Map();
  for (const item of [...items].sort((a, b) => a.priority - b.priority)) {
    const marks = item.mark && !item.must && !SEATS.has(item.type) ? [markBox(item)] : [];
    const offsets = marks.some((mark) => room.boxes.some((box) => overlap(box, mark))) ? [] : item.offsets;
    const whole = offsets.filter((offset) => !isCut(boxAt(item, offset), frame));
    const offset = firstFree(item, whole, room) ?? (item.must && holds(frame, item) ? yield* moved(item, room, frame) : null);
    if (offset) {
      room.boxes.push(boxAt(item, offset), ...marks);
      room.lines.push(...lineOf(item, offset));
    }
    yield placed.set(item, offset);
  }
  return placed;
}

/** Return the box of the mark of a thing of the ground. */
function markBox({ x, y, type }) {
  const reach = (type === "city-seat" ? 5 : 4) * large;
  return [x - reach, y - reach, x + reach, y + reach];
}

/** Return the line that ties a label to what it names, as `[[x, y, x, y]]`; none for one that is near. */
function lineOf(item, offset) {
  if (item.offsets.includes(offset) || !isApart(item, offset)) return [];
  const { x, y, origin } = item;
  const [toX, toY] = lineEnd(item, offset);
  return [[x + origin.x, y + origin.y, x + toX, y + toY]];
}

/** Return where the line to a label ends, from the anchor: at the edge of its box. */
function lineEnd({ width, height, origin }, offset) {
  const [dx, dy] = [offset[0] - origin.x, offset[1] - origin.y];
  const share = Math.min(1, Math.max(1 - width / 2 / Math.abs(dx || 1e-9), 1 - height / 2 / Math.abs(dy || 1e-9)));
  return [origin.x + dx * share, origin.y + dy * share];
}

function firstFree(item, offsets, room) {
  return offsets.find((offset) => hindrance(item, offset, room, Number.MIN_VALUE) === 0) ?? null;
}

/**
 * Return how much a label at an offset would cover or cross: the area, and so much for each crossing.
 *
 * What comes to `least` is not reckoned to its end: another offset is better.
 */
function hindrance(item, offset, { boxes, lines }, least) {
  const own = boxAt(item, offset);
  let cost = 0;
  for (const box of boxes) {
    cost += overlap(own, box);
    if (cost >= least) return cost;
  }
  const line = lineOf(item, offset);
  for (const other of lines) if (meets(other, own) || line.some((one) => crosses(one, other))) cost += CROSSING;
  for (const one of line) for (const box of boxes) if (!holds(box, { x: one[0], y: one[1] }) && meets(one, box)) cost += CROSSING;
  return cost;
}

const CROSSING = 400; // square pixels of a label that are as bad as a line across it

const holds = ([left, top, right, bottom], { x, y }) => x >= left && x <= right && y >= top && y <= bottom;

/** Whether a line meets a box. */
function meets([x1, y1, x2, y2], [left, top, right, bottom]) {
  if (Math.max(x1, x2) < left || Math.min(x1, x2) > right || Math.max(y1, y2) < top || Math.min(y1, y2) > bottom) return false;
  const inside = holds([left, top, right, bottom], { x: x1, y: y1 }) || holds([left, top, right, bottom], { x: x2, y: y2 });
  const diagonals = [
    [left, top, right, bottom],
    [left, bottom, right, top],
  ];
  return inside || diagonals.some((one) => crosses([x1, y1, x2, y2], one));
}

/** Whether two lines cross. */
function crosses([ax, ay, bx, by], [cx, cy, dx, dy]) {
  const side = (x, y, px, py, qx, qy) => Math.sign((qx - px) * (y - py) - (qy - py) * (x - px));
  const apart = side(ax, ay, cx, cy, dx, dy) * side(bx, by, cx, cy, dx, dy);
  return apart < 0 && side(cx, cy, ax, ay, bx, by) * side(dx, dy, ax, ay, bx, by) < 0;
}

/** Whether a box lies across the edge of what is in view: wholly outside it comes into view when the map is dragged. */
function isCut([left, top, right, bottom], frame) {
  const apart = right < frame[0] || left > frame[2] || bottom < frame[1] || top > frame[3];
  return !apart && !isWithin([left, top, right, bottom], frame);
}

const isWithin = ([left, top, right, bottom], frame) => left >= frame[0] && top >= frame[1] && right <= frame[2] && bottom <= frame[3];

/** Return the nearest free offset, or the one that is least in the way. */
function* moved(item, room, frame) {
  const ring = [];
  for (let radius = 16; radius <= FARTHEST; radius += 4) {
    for (const angle of DIRECTIONS) ring.push([radius * 1.4 * Math.cos(angle), radius * Math.sin(angle)]);
  }
  const inside = ring.filter((offset) => isWithin(boxAt(item, offset), frame)); // out of view it names nothing
  const tried = inside.length ? inside : ring;
  let [best, least] = [null, Infinity];
  for (const offset of tried) {
    const cost = hindrance(item, offset, room, least);
    if (cost < least) [best, least] = [offset, cost];
    if (!cost) break; // the nearest come first
    yield;
  }
  return best;
}

function boxAt({ x, y, width, height }, [dx, dy]) {
  const [left, top] = [x + dx - width / 2 - GAP, y + dy - height / 2 - GAP];
  return [left, top, left + width + 2 * GAP, top + height + 2 * GAP];
}

function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

/* Draw the names: with a halo of the ground, hidden rather than overlapping or cut, anew after each move. */

const BADGE = 17;
const BADGES_PER_ROW = 6;
const SMALL = 34; // pixels; a polygon below this does not hold a name
const POINT_LIMIT = 150; // pixels of a line; of polygons the catalogue has it
/** Return the steps in which the names are drawn at first. */
export function createLabels(app) {
  const { map, state, shapes } = app;
  const overlay = new Overlay(map, `label${app.suffix ?? ""}`, "labels");

  const covers = new Covers(map);
  let turn = 0;
  const draw = () => finish(drawing());
  const drawAnew = () => {
    covers.forget(); // what is chosen is said on the map
    draw();
  };

  function* drawing() {
    const own = (turn += 1);
    const covered = covers.boxes(); // before a node is added, for then all would be laid out once more
    yield;
    const names = wantedNames(app, map.getZoom());
    yield readStyles(names.map((one) => one.type), overlay.root);
    const items = [];
    for (const name of names) yield items.push(measure(name, app));
    const bare = items.filter((one) => !one.text); // a mark alone stays where it is
    const taken = [...symbolBoxes(app), ...covered, ...items.filter((one) => SEATS.has(one.type)).map(markBox)];
    const placed = yield* placeLabels(
      items.filter((one) => one.text && fits(one)),
      taken,
      frameOf(map),
    );
    if (own !== turn) return; // drawn anew meanwhile
    const named = [...placed].filter(([, offset]) => offset);
    const isCovered = (seat) => named.some(([item, offset]) => overlap(boxAt(item, offset), markBox(seat)));
    const nameless = [...placed.keys()].filter((one) => SEATS.has(one.type) && !placed.get(one) && !isCovered(one));
    const marked = [...bare, ...nameless.map((one) => ({ ...one, lines: [] }))].map((one) => [one, one.offsets[0]]);
    const shown = [...marked, ...named];
    overlay.show(shown.map(([item, offset]) => ({ at: item.at, node: build(item, offset) })));
    fade();
  }

  function fade() {
    const now = state.get();
    const filtered = app.catalogue.isFiltered(now);
    const focus = app.catalogue.focusOf(now);
    for (const { node } of overlay.parts) {
      const feature = app.catalogue.features.get(node.dataset.for);
      const out = feature && (filtered ? !app.catalogue.matches(feature, now) && !app.catalogue.isReached(feature, now) : focus && focus !== feature.id);
      node.classList.toggle("is-faded", Boolean(out));
    }
  }

  map.on("moveend", draw);
  const looks = (now) => [app.catalogue.contentOf(now), app.catalogue.isFiltered(now), now.q, now.zone].join();
  state.subscribe((now, before) => (looks(now) === looks(before) ? fade() : drawAnew()));
  shapes.onChange(draw);
  app.backdrop.onNames(draw);
  narrow.addEventListener("change", drawAnew);
  return drawing();
}

function measure(name, app) {
  const { map, spread } = app;
  const extent = extentOf(name.id, app);
  const limit = (name.limit ?? 400) * (lang() === "en" ? 1.5 : 1) * (narrow.matches ? 0.8 : large);
  const text = setText(name.text, styles.get(name.type), limit);
  const rows = Math.ceil((name.badges?.length ?? 0) / BADGES_PER_ROW);
  const columns = Math.min(name.badges?.length ?? 0, BADGES_PER_ROW);
  const width = Math.max(text.width, columns * BADGE * large);
  const height = text.height + rows * BADGE * large;
  const { x, y } = map.latLngToLayerPoint(name.at);
  const origin = spread.get(name.id) ?? { x: 0, y: 0 }; // where its symbol stands
  const offsets = offsetsFor({ ...name, extent }, width, height).map(([dx, dy]) => [dx + origin.x, dy + origin.y]);
  return { ...name, ...text, width, textHeight: text.height, height, x, y, origin, extent, offsets };
}

function offsetsFor(name, width, height) {
  const small = name.extent < SMALL;
  if (name.mark || name.point || small) {
    const gap = small ? name.extent / 2 + 4 : (name.point ? 13 : (STYLE.marks[name.mark]?.gap ?? 5)) * large;
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

const STANDING = ".zoomer, .corner-row, .credit";

/** The boxes of what stands on the map: a name beneath it could not be read. */
class Covers {
  #map;
  #found = null; // as they lie on the stage, until one of them has another size: to ask for them lays the page out

  constructor(map) {
    this.#map = map;
    const observer = new ResizeObserver(() => this.forget());
    for (const node of [map.getContainer(), ...document.querySelectorAll(`.map-top, ${STANDING}`)]) observer.observe(node);
  }

  forget() {
    this.#found = null;
  }

  boxes() {
    this.#found ??= this.#measure();
    const [left, top] = frameOf(this.#map);
    return this.#found.map((box) => [box[0] + left, box[1] + top, box[2] + left, box[3] + top]);
  }

  #measure() {
    const stage = this.#map.getContainer().getBoundingClientRect();
    return [...document.querySelectorAll(`.map-top > :not(.guide), ${STANDING}`)]
      .map((node) => node.getBoundingClientRect())
      .filter((box) => box.width)
      .map((box) => [box.left - stage.left, box.top - stage.top, box.right - stage.left, box.bottom - stage.top]);
  }
}

/** Return the boxes of symbols and of the counts of what has no place. */
function symbolBoxes({ spread, counts }) {
  const box = (left, top, width, height) => [left, top, left + width, top + height];
  const [width, height] = [COUNT.width * large - 2 * GAP, COUNT.height * large - 2 * GAP]; // a name's box has room around it already
  const reach = 10 * large;
  return [
    ...[...spread.values()].map(({ x, y, place }) => box(place.x + x - reach, place.y + y - reach, 2 * reach, 2 * reach)),
    ...counts.map(({ x, y }) => box(x - width / 2, y - height / 2, width, height)),
  ];
}

function build(item, offset) {
  const [dx, dy] = offset;
  const node = svg("g", {
    class: `label label-${item.type}`,
    dataset: item.id ? { for: item.id } : {},
    "aria-hidden": "true",
  });
  if (item.mark) node.append(svg("path", { class: `place-mark mark-${item.mark}`, d: STYLE.marks[item.mark].outline, transform: `scale(${large})` }));
  if (lineOf(item, offset).length) {
    const [x, y] = lineEnd(item, offset);
    const from = item.origin;
    node.append(svg("path", { class: "leader", d: `M${from.x} ${from.y}L${x} ${y}` }));
    if (!item.point) node.append(svg("circle", { class: "origin", r: 1.6 }));
  }
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
    const x = ((index % BADGES_PER_ROW) - inRow / 2) * BADGE + 1;
    const node = badge(one, centre + x * large, top + row * BADGE * large);
    if (large !== 1) node.setAttribute("transform", `${node.getAttribute("transform")} scale(${large})`);
    return node;
  });
}
