/** The page's language and its translated strings. */

import { at } from "./served.js";

let strings = {};
let language = "zh";

export function setWords(newStrings, newLanguage) {
  strings = newStrings;
  language = newLanguage;
}

/** Return the string for `key` with `{name}` filled in; the key itself where none exists. */
export function t(key, values = {}) {
  const text = Object.hasOwn(strings, key) ? strings[key] : key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const lang = () => language;

/** Return an address of this site with the page's language. */
export const local = (path) => at(`${path}${path.includes("?") ? "&" : "?"}lang=${language}`);
