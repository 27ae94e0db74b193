/** Colours, patterns and symbols: how a class looks in figures, legend and list. */

import { STYLE } from "./cartography.js";
import { svg } from "./dom.js";

/* Colours derived from a feature's hue. The ground's colours are in the style sheet. */

const channels = (hex) => [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));

/** Return `hex` mixed with black (amount < 0) or white (amount > 0). */
function shade(hex, amount) {
  const target = amount < 0 ? 0 : 255;
  const mixed = channels(hex).map((value) => Math.round(value + (target - value) * Math.abs(amount)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Return the ink, dark or light, that is legible on a hue. */
function inkOn(hex) {
  const [red, green, blue] = channels(hex);
  const { luma, light, dark } = STYLE.letters;
  return 0.299 * red + 0.587 * green + 0.114 * blue < luma ? light : dark;
}

/** Give an element its hue for light and dark ground; the style sheet chooses between them. */
export function paint(node, hex) {
  const night = shade(hex, STYLE.shades.night);
  const values = {
    "--hue": hex,
    "--hue-edge": shade(hex, STYLE.shades.edge),
    "--hue-ink": inkOn(hex),
    "--hue-dark": night,
    "--hue-edge-dark": shade(hex, STYLE.shades["night-edge"]),
    "--hue-ink-dark": inkOn(night),
  };
  for (const [name, value] of Object.entries(values)) node.style.setProperty(name, value);
  node.classList.add("hued");
  return node;
}

/* Fill patterns: a faint texture that tells hues apart without colour. */

const SIZE = 10;
let defs = null;

/** Return the CSS fill of a look: null where it is plain colour, else a pattern. */
function fillOf({ hue, texture, light, soft }) {
  if (!STYLE.textures[texture]) return null;
  const tone = light ? "is-light" : soft ? "is-soft" : "";
  const id = `fill-${hue.slice(1)}-${tone}-${texture}`;
  if (!document.getElementById(id)) ensureDefs().append(textured(id, hue, texture, tone));
  return `url("#${id}")`;
}

/** Give a polygon or its swatch the look's hue and fill. */
export function dress(node, look) {
  const fill = fillOf(look);
  paint(node, look.hue);
  node.style.fill = fill ?? "";
  node.classList.toggle("patterned", Boolean(fill));
  node.classList.toggle("is-light", Boolean(look.light));
  node.classList.toggle("is-soft", Boolean(look.soft));
}

function ensureDefs() {
  if (!defs) {
    defs = svg("defs");
    document.body.append(svg("svg", { class: "pattern-defs", width: 0, height: 0, "aria-hidden": "true" }, defs));
  }
  return defs;
}

function textured(id, hue, texture, tone) {
  const size = { width: SIZE, height: SIZE, patternUnits: "userSpaceOnUse" };
  const ground = svg("rect", { class: "pattern-ground", width: SIZE, height: SIZE });
  const mark = svg("path", { class: "pattern-mark", d: STYLE.textures[texture] });
  return paint(svg("pattern", { id, ...size, class: tone }, ground, mark), hue);
}

/** Return the CSS fill of a halo: the hue in the middle, fading to nothing at the rim. */
export function fadingFill(hue) {
  const id = `halo-${hue.slice(1)}`;
  if (!document.getElementById(id)) {
    const stops = [0, 60, 100].map((at) => svg("stop", { class: `fade-${at}`, offset: `${at}%` }));
    ensureDefs().append(paint(svg("radialGradient", { id }, stops), hue));
  }
  return `url("#${id}")`;
}

/* Point symbols and swatches, the same on the map, in the legend and in the list. */

const BASELINE = 4; // of a letter below the middle

/** Return a symbol centred on the origin; a hollow one says that its position is indicative. */
export function symbol(entry, hollow = false) {
  const shape = STYLE.symbols[entry?.symbol] ? entry.symbol : "circle";
  const group = svg("g", { class: `mark${hollow ? " hollow" : ""}` });
  group.append(svg("path", { d: STYLE.symbols[shape] }));
  if (entry?.letter) group.append(svg("text", { y: BASELINE + (STYLE.drops[shape] ?? 0), text: entry.letter }));
  return paint(group, entry?.colour ?? STYLE.hues.unknown);
}

/** Return a letter on its colour, with its top left corner at (x, y). */
export function badge({ letter, colour }, x = 0, y = 0) {
  const group = svg("g", { class: "letter", transform: `translate(${x} ${y})` });
  group.append(svg("rect", { width: 15, height: 15, rx: 3 }), svg("text", { x: 7.5, y: 11.3, text: letter ?? "" }));
  return paint(group, colour);
}

/** Return a badge in a drawing of its own, to stand in text. */
export function badgeIcon(cluster, label = null) {
  const node = svg("svg", { class: "letter-icon", viewBox: "0 0 15 15", width: 15, height: 15 }, badge(cluster));
  describe(node, label);
  return node;
}

/** Return a small rectangle that looks like the polygons it stands for. */
export function swatch(look, method = "official", role = "") {
  const box = svg("rect", { class: `figure method-${method} ${role}`, x: 1.5, y: 1.5, width: 25, height: 15, rx: 1 });
  dress(box, look);
  const node = svg("svg", { class: "swatch", viewBox: "0 0 28 18", width: 28, height: 18 }, box);
  describe(node, null);
  return node;
}

/** Return a symbol in a drawing of its own. */
export function symbolIcon(entry, hollow = false) {
  const node = svg("svg", { class: "swatch", viewBox: "-14 -12 28 24", width: 28, height: 24 }, symbol(entry, hollow));
  describe(node, null);
  return node;
}

function describe(node, label) {
  if (label) {
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", label);
  } else node.setAttribute("aria-hidden", "true");
}
