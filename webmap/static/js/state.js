/** What the reader chose (theme, place, industry, cluster), and the address that holds it. */

import { calm } from "./dom.js";

/* What the reader looks at, and asks. One object of texts, changed in one place. */

/**
 * Return a state with `get`, `set(patch, origin)` and `subscribe(listener)`.
 *
 * Listeners get (state, before, origin); `origin` says what caused the change: "map", "list",
 * "key", "link", "search" or "history".
 */
export function createState(initial) {
  const listeners = [];
  let current = Object.freeze({ ...initial });
  return {
    get: () => current,
    subscribe: (listener) => listeners.push(listener),
    set(patch, origin = "link") {
      const before = current;
      // One thing is selected: a place, or a feature of an operator's own layer.
      if (patch.zone) patch = { own: null, ...patch };
      else if (patch.own) patch = { zone: null, ...patch };
      const changed = Object.keys(patch).some((key) => patch[key] !== before[key]);
      if (!changed) return;
      current = Object.freeze({ ...before, ...patch });
      for (const listener of listeners) listener(current, before, origin);
    },
  };
}

/* Keep the address bar and the state in step: any view can be linked, and Back restores it. */

// What is chosen: theme, place, a feature of an operator's own layer, industry, cluster; what was searched for; layers laid over the theme with their
// opacity in percent; classes switched off; places compared; a theme or release on the other side of the slider; a view of the tour.
const KEYS = ["theme", "zone", "own", "industry", "cluster", "q", "layers", "hide", "pick", "swipe", "tour"];

/** Return the state and the view that an address describes; absent parts are null. */
export function readAddress(address = window.location) {
  const query = new URLSearchParams(address.search);
  const state = Object.fromEntries(KEYS.map((key) => [key, query.get(key) || null]));
  return { ...state, view: readView(address.hash) };
}

function readView(hash) {
  const [zoom, lat, lon] = hash.replace(/^#/, "").split("/").map(Number.parseFloat);
  const known = [zoom, lat, lon].every(Number.isFinite) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  return known ? { zoom, lat, lon } : null;
}

/** Return the address of a state and the map's view, as a path on this site. */
function writeAddress(state, map, moved = true) {
  const query = new URLSearchParams(window.location.search);
  for (const key of KEYS) {
    if (state[key]) query.set(key, state[key]);
    else query.delete(key);
  }
  const text = query.toString();
  return `${window.location.pathname}${text ? `?${text}` : ""}${moved ? viewHash(map) : window.location.hash}`;
}

function viewHash(map) {
  const { lat, lng } = map.getCenter();
  const zoom = Math.round(map.getZoom() * 100) / 100;
  return `#${zoom}/${lat.toFixed(4)}/${lng.toFixed(4)}`;
}

/** Write every change of state as a new history entry and every move into the present one. */
export function bindAddress(app) {
  const { map, state } = app;
  state.subscribe((next, before, origin) => {
    const write = origin === "drag" ? "replaceState" : "pushState"; // a drag passes many values
    if (origin !== "history") window.history[write](null, "", writeAddress(next, map));
    updateLanguageLinks();
  });
  map.on("moveend", () => {
    window.history.replaceState(null, "", writeAddress(state.get(), map));
    updateLanguageLinks();
  });
  window.addEventListener("popstate", () => {
    const { view, ...next } = readAddress();
    state.set(app.catalogue.sound(next), "history"); // first, for a move writes the state it finds
    if (view) map.setView([view.lat, view.lon], view.zoom, { animate: false });
  });
  updateLanguageLinks(); // those of a file know nothing of its address
  if (calm.matches) stopAnimations(map);
}

/** Leaflet reads these where it decides whether to animate. */
function stopAnimations(map) {
  Object.assign(map.options, { zoomAnimation: false, fadeAnimation: false, inertia: false });
  map._zoomAnimated = false;
}

function updateLanguageLinks() {
  for (const link of document.querySelectorAll(".languages a[hreflang]")) {
    const page = new URL(link.href);
    const lang = page.searchParams.get("lang"); // as files, the languages are folders
    const query = new URLSearchParams(window.location.search);
    if (lang) query.set("lang", lang);
    link.href = `${page.pathname}${query.size ? `?${query}` : ""}${window.location.hash}`;
  }
}
