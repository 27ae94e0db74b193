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

/** Return the page's language of a `{zh, en, ko}` text, empty for none. */
export const pick = (text) => (text ? (text[language] ?? text.zh ?? "") : "");

/** Return the Chinese beside a translated text, or nothing where they are the same. */
export const beside = (text) => (text && language !== "zh" && text.zh !== pick(text) ? text.zh : "");

export const lang = () => language;

export const number = (value, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Return an accuracy without false precision: 3477 as 3,500. */
export const roughly = (value) => number(Number(value.toPrecision(2)));

/** Return an address of this site with the page's language. */
export const local = (path) => at(`${path}${path.includes("?") ? "&" : "?"}lang=${language}`);
