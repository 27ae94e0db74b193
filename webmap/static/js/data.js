/** Fetch what the map needs from this site; nothing else is ever asked. */

import { at } from "./served.js";

const documents = new Map();

/** Return the JSON at `url`; throws where the answer is not one. */
export async function fetchJson(url, options = {}) {
  const response = await fetch(at(url), { headers: { Accept: "application/json" }, ...options });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.json();
}

/** Return the detail document of a feature, fetched once. */
export async function fetchDocument(feature, signal) {
  if (!documents.has(feature.url)) documents.set(feature.url, await fetchJson(`${feature.url}.json`, { signal }));
  return documents.get(feature.url);
}
