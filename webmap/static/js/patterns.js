/** Fill patterns: a hatch for indicative extents, a faint texture that tells hues apart without colour. */

import { svg } from "./dom.js";
import { paint } from "./colours.js";

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
export function fillOf({ hue, texture, light, hatched }) {
  if (!hatched && !TEXTURES[texture]) return null;
  const kind = hatched ? "hatch" : `${light ? "light-" : ""}${texture}`;
  const id = `fill-${hue.slice(1)}-${kind}`;
  if (!document.getElementById(id)) ensureDefs().append(hatched ? hatch(id, hue) : textured(id, hue, texture, light));
  return `url("#${id}")`;
}

/** Give a polygon or its swatch the look's hue and fill. */
export function dress(node, look) {
  const fill = fillOf(look);
  paint(node, look.hue);
  node.style.fill = fill ?? "";
  node.classList.toggle("patterned", Boolean(fill));
  node.classList.toggle("is-light", Boolean(look.light));
}

function ensureDefs() {
  if (!defs) {
    defs = svg("defs");
    document.body.append(svg("svg", { class: "pattern-defs", width: 0, height: 0, "aria-hidden": "true" }, defs));
  }
  return defs;
}

function textured(id, hue, texture, light) {
  const attributes = light ? { class: "light" } : {};
  return frame(id, hue, attributes, svg("path", { class: "pattern-mark", d: TEXTURES[texture] }));
}

function hatch(id, hue) {
  const turned = { class: "hatch", patternTransform: "rotate(45)", width: 6, height: 6 };
  return frame(id, hue, turned, svg("path", { class: "pattern-line", d: "M0 0v6" }));
}

function frame(id, hue, attributes, mark) {
  const size = { width: SIZE, height: SIZE, patternUnits: "userSpaceOnUse", ...attributes };
  const ground = svg("rect", { class: "pattern-ground", width: size.width, height: size.height });
  return paint(svg("pattern", { id, ...size }, ground, mark), hue);
}
