/** This site as the browser sees it: its addresses, its words in the page's language, and what it is asked for. */

import { WORDS } from "./words.js";

/* Where this site's addresses are found: on a server as they are, else as files, as webmap/file_addresses.py has it. */

// root: the way from this page to the site's, of files; prefix: the path that a server's site lies below
const { root, prefix = "" } = document.documentElement.dataset;
const ADDRESS = /^\/([^?#]*)(\?[^#]*)?(#.*)?$/;
const HOME_LANGUAGE = "zh"; // whose pages are at the root

/** Whether a program answers, and not files alone. */
export const served = root === undefined;

/** Return what leads to an address of this site, given from its root. */
export function at(address) {
  const parts = ADDRESS.exec(address);
  if (!parts) return address;
  if (served) return `${prefix}${address}`;
  const [, path, search = "", hash = ""] = parts;
  const query = new URLSearchParams(search);
  const isPage = !path.slice(path.lastIndexOf("/") + 1).includes(".");
  const language = query.get("lang") ?? (isPage ? document.documentElement.lang : HOME_LANGUAGE);
  query.delete("lang");
  const folder = language === HOME_LANGUAGE ? "" : `${language}/`;
  const ending = isPage ? (path === "" || path.endsWith("/") ? "index.html" : ".html") : "";
  return `${root}${folder}${path}${ending}${query.size ? `?${query}` : ""}${hash}`;
}

/** Return an address on this host as given from the site's root. */
export const own = (address) => (prefix && address.startsWith(`${prefix}/`) ? address.slice(prefix.length) : address);

/* The page's language and its translated strings. */

let language = document.documentElement.lang;
let strings = WORDS[language] ?? {};

/** Add to what every page says. */
export function setWords(newStrings, newLanguage) {
  strings = { ...strings, ...newStrings };
  language = newLanguage;
}

/** Return the string for `key` with `{name}` and `{name|one|many}` filled in; the key itself where none exists. */
export function t(key, values = {}) {
  const text = Object.hasOwn(strings, key) ? strings[key] : key;
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name, one, many) => {
    if (!(name in values)) return whole;
    const value = String(values[name]);
    return one === undefined ? value : value === "1" ? one : many;
  });
}

export const lang = () => language;

/** Return an address of this site with the page's language. */
export const local = (path) => at(`${path}${path.includes("?") ? "&" : "?"}lang=${document.documentElement.lang}`);

/* Fetch what the map needs from this site; nothing else is ever asked. */

const REFERENCES = "a[href], img[src]";
const fragments = new Map();
const FIXED = "/r/"; // files here are the same bytes everywhere; documents name addresses below the site's prefix
const LEADING = new Set(["href", "url"]);

/** Return what a file of the site holds for scripts; a page that is read from a disk may fetch nothing else. */
export function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.take = resolve; // the file hands its content to the element that loads it
    script.unpack = (packed) => resolve(unpack(packed));
    script.onerror = () => reject(new Error(address));
    script.src = `${address}.js`;
    document.head.append(script);
  });
}

/** Return the value of JSON that is packed with gzip and written in letters. */
function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

const SCRIPT = document.currentScript?.src; // this one, known only while it is first run

/** Return what a script beside this one hands over, which a page fetches once it needs it. */
export const later = (name) => load(new URL(name, SCRIPT).href);

/** Return the JSON at `url`; throws where the answer is not one. */
export async function fetchJson(url, options = {}) {
  if (!served) return load(at(url));
  const response = await fetch(at(url), { headers: { Accept: "application/json" }, ...options });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  if (url.startsWith(FIXED)) return response.json();
  return JSON.parse(await response.text(), (key, value) =>
    LEADING.has(key) && typeof value === "string" ? own(value) : value,
  );
}

/** Return the nodes of a page's fragment in the page's language, fetched once; its links lead from where it lies. */
export async function fetchFragment(url, signal) {
  if (!fragments.has(url)) fragments.set(url, await readFragment(local(url), signal));
  return fragments.get(url).cloneNode(true).childNodes;
}

async function readFragment(address, signal) {
  if (!served) return parseFragment(await load(address), new URL(address, window.location.href));
  const response = await fetch(address, { headers: { Accept: "text/html" }, signal });
  if (!response.ok) throw new Error(`${response.status} ${address}`);
  return parseFragment(await response.text(), response.url);
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
