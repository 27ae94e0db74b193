/** Colours, patterns and symbols: how a class looks in figures, legend and list. */

import { svg } from "./dom.js";

/* Colours derived from a feature's hue. The ground's colours are in the style sheet. */

const channels = (hex) => [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));

/** Return `hex` mixed with black (amount < 0) or white (amount > 0). */
export function shade(hex, amount) {
  const target = amount < 0 ? 0 : 255;
  const mixed = channels(hex).map((value) => Math.round(value + (target - value) * Math.abs(amount)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Return the ink, dark or light, that is legible on a hue. */
function inkOn(hex) {
  const [red, green, blue] = channels(hex);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 115 ? "#ffffff" : "#111111";
}

/** Give an element its hue for light and dark ground; the style sheet chooses between them. */
export function paint(node, hex) {
  const light = shade(hex, 0.22);
  const values = {
    "--hue": hex,
    "--hue-edge": shade(hex, -0.3),
    "--hue-ink": inkOn(hex),
    "--hue-dark": light,
    "--hue-edge-dark": shade(hex, 0.42),
    "--hue-ink-dark": inkOn(light),
  };
  for (const [name, value] of Object.entries(values)) node.style.setProperty(name, value);
  node.classList.add("hued");
  return node;
}

/* Fill patterns: a faint texture that tells hues apart without colour. */

const SIZE = 10;
// One faint drawing per place in the legend; the first is plain.
const TEXTURES = [
  "",
  "M2 2h1v1h-1zM7 7h1v1h-1z",
  "M0 5h10",
  "M5 0v10",
  "M3 5h4M5 3v4",
  "M0 0l10 10",
  "M5 3.2a1.8 1.8 0 1 0 .01 0z",
  "M0 5q2.5 -3 5 0t5 0",
];

let defs = null;

/** Return the CSS fill of a look: null where it is plain colour, else a pattern. */
function fillOf({ hue, texture, light, soft }) {
  if (!TEXTURES[texture]) return null;
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
  const mark = svg("path", { class: "pattern-mark", d: TEXTURES[texture] });
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

// Outlines in a box of 20 by 20 around the origin.
export const OUTLINES = {
  spot: "M0-6a6 6 0 1 0 .01 0zM0-2a2 2 0 1 0 .01 0z", // a place of which only a point is known
  circle: "M0-9a9 9 0 1 0 .01 0z",
  square: "M-8-8h16v16h-16z",
  triangle: "M0-10.5 10 8h-20z",
  diamond: "M0-11 11 0 0 11-11 0z",
  star: "M0-11.5 3.2-4.2 11-3.5 5.2 1.8 6.8 9.5 0 5.5-6.8 9.5-5.2 1.8-11-3.5-3.2-4.2z",
  cross: "M-4-10h8v6h6v8h-6v6h-8v-6h-6v-8h6z",
};
const LETTER_DROP = { triangle: 5.5, star: 4.6 };

/** Return a symbol centred on the origin; a hollow one says that its position is indicative. */
export function symbol(entry, hollow = false) {
  const shape = OUTLINES[entry?.symbol] ? entry.symbol : "circle";
  const group = svg("g", { class: `mark${hollow ? " hollow" : ""}` });
  group.append(svg("path", { d: OUTLINES[shape] }));
  if (entry?.letter) group.append(svg("text", { y: LETTER_DROP[shape] ?? 4, text: entry.letter }));
  return paint(group, entry?.colour ?? "#777777");
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
