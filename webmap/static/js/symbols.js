/** Point symbols and swatches, the same on the map, in the legend and in the list. */

import { svg } from "./dom.js";
import { paint } from "./colours.js";
import { dress } from "./patterns.js";

// Outlines in a box of 20 by 20 around the origin.
const OUTLINES = {
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
export function swatch(look, method = "official") {
  const box = svg("rect", { class: `figure method-${method}`, x: 1.5, y: 1.5, width: 25, height: 15, rx: 1 });
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
