/** Fetch what the map needs from this site; nothing else is ever asked. */

import { at } from "./served.js";
import { local } from "./words.js";

const REFERENCES = "a[href], img[src]";
const fragments = new Map();

/** Return the JSON at `url`; throws where the answer is not one. */
export async function fetchJson(url, options = {}) {
  const response = await fetch(at(url), { headers: { Accept: "application/json" }, ...options });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.json();
}

/** Return the nodes of a page's fragment in the page's language, fetched once; its links lead from where it lies. */
export async function fetchFragment(url, signal) {
  if (!fragments.has(url)) {
    const response = await fetch(local(url), { headers: { Accept: "text/html" }, signal });
    if (!response.ok) throw new Error(`${response.status} ${url}`);
    fragments.set(url, parseFragment(await response.text(), response.url));
  }
  return fragments.get(url).cloneNode(true).childNodes;
}

/** Parse a page of ours: no script in it runs, and it may hold none. */
function parseFragment(text, base) {
  const { body } = new DOMParser().parseFromString(text, "text/html");
  for (const node of body.querySelectorAll(REFERENCES)) {
    const name = node.hasAttribute("href") ? "href" : "src";
    node.setAttribute(name, new URL(node.getAttribute(name), base).href);
  }
  return document.importNode(body, true);
}
