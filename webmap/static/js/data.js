/** Fetch what the map needs from this site; nothing else is ever asked. */

import { at, own } from "./served.js";

const documents = new Map();
const FIXED = "/r/"; // files here are the same bytes everywhere; documents name addresses below the site's prefix
const LEADING = new Set(["href", "url"]);

/** Return the JSON at `url`; throws where the answer is not one. */
export async function fetchJson(url, options = {}) {
  const response = await fetch(at(url), { headers: { Accept: "application/json" }, ...options });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  if (url.startsWith(FIXED)) return response.json();
  return JSON.parse(await response.text(), (key, value) =>
    LEADING.has(key) && typeof value === "string" ? own(value) : value,
  );
}

/** Return the detail document of a feature, fetched once. */
export async function fetchDocument(feature, signal) {
  if (!documents.has(feature.url)) documents.set(feature.url, await fetchJson(`${feature.url}.json`, { signal }));
  return documents.get(feature.url);
}
