/** Set the characters that a query hit as marked text: nodes, never markup. */

import { el } from "./dom.js";

/** Return nodes for `text` with the `[start, end)` ranges of its characters marked. */
export function marked(text, ranges = []) {
  const letters = [...text]; // characters, as the server counts them
  const nodes = [];
  let at = 0;
  for (const [start, end] of ranges ?? []) {
    nodes.push(document.createTextNode(letters.slice(at, start).join("")));
    nodes.push(el("mark", { text: letters.slice(start, end).join("") }));
    at = end;
  }
  nodes.push(document.createTextNode(letters.slice(at).join("")));
  return nodes;
}
