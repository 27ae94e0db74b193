/** Where this site's addresses are found: on a server as they are, else as files, as webmap/site/addresses.py has it. */

// root: the way from this page to the site's, of files; prefix: the path that a server's site lies below
const { root, prefix = "", sheets: paper } = document.documentElement.dataset;
const ADDRESS = /^\/([^?#]*)(\?[^#]*)?(#.*)?$/;
const HOME_LANGUAGE = "zh"; // whose pages are at the root

/** Whether a program answers, and not files alone. */
export const served = root === undefined;

/** Whether there is paper: printed sheets, posters, the atlas. */
export const sheets = paper !== "none";

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
