/** Where this site's addresses are found: on a server as they are, else as files, as webmap/site/addresses.py has it. */

const { root, sheets: paper } = document.documentElement.dataset; // root: the way from this page to the site's
const ADDRESS = /^\/([^?#]*)(\?[^#]*)?(#.*)?$/;
const HOME_LANGUAGE = "zh"; // whose pages are at the root

/** Whether a program answers, and not files alone. */
export const served = root === undefined;

/** Whether there is paper: printed sheets, posters, the atlas. */
export const sheets = paper !== "none";

/** Return what leads to an address of this site, given from its root. */
export function at(address) {
  const parts = served ? null : ADDRESS.exec(address);
  if (!parts) return address;
  const [, path, search = "", hash = ""] = parts;
  const query = new URLSearchParams(search);
  const isPage = !path.slice(path.lastIndexOf("/") + 1).includes(".");
  const language = query.get("lang") ?? (isPage ? document.documentElement.lang : HOME_LANGUAGE);
  query.delete("lang");
  const folder = language === HOME_LANGUAGE ? "" : `${language}/`;
  const ending = isPage ? (path === "" || path.endsWith("/") ? "index.html" : ".html") : "";
  return `${root}${folder}${path}${ending}${query.size ? `?${query}` : ""}${hash}`;
}
