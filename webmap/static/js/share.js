/** What a reader takes along: the view's address and code to embed it, data, the printed sheet. */

import { bindCopying, byId } from "./dom.js";
import { at, local, own, served } from "./site.js";

const ASKED = ["industry", "cluster", "pick", "layers", "hide"]; // that a sheet shows as the screen does

export function createPassing({ map, state }) {
  const shares = [...document.querySelectorAll(".share")]; // beside the list, and under what is selected
  const sheet = byId("print-sheet");
  const whole = document.querySelector(".embed-bar a"); // from an embedded map to the same view, whole

  /** The theme's sheet, and the view that is on the screen as a file: the server draws both. */
  function updateSheets() {
    const now = state.get();
    const { lang } = document.documentElement;
    if (sheet) sheet.href = at(`/print/${now.theme}.pdf?lang=${lang}`);
    for (const link of document.querySelectorAll("a[data-view]")) {
      const asked = new URLSearchParams({ lang });
      for (const key of ASKED) if (served && now[key]) asked.set(key, now[key]);
      asked.set("bbox", boundsText(map));
      link.href = at(`/print/${now.theme}.${link.dataset.view}?${asked}`);
    }
  }

  function updateShare(share) {
    if (!share.open) return;
    const here = window.location;
    const path = `${own(here.pathname)}${here.search}${here.hash}`;
    share.querySelector(".share-link").value = here.href;
    if (served) share.querySelector(".share-qr").src = at(`/qr.svg?path=${encodeURIComponent(path)}`);
    const frame = document.createElement("iframe");
    const asked = new URLSearchParams(here.search);
    const [size, language, legend] = ["size", "lang", "legend"].map((name) => share.querySelector(`.embed-${name}`));
    asked.set("lang", language.value);
    if (legend.checked) asked.set("legend", "1");
    frame.src = new URL(at(`/embed?${asked}${here.hash}`), here);
    const [width, height] = size.value.split("x");
    for (const [name, value] of Object.entries({ width, height, loading: "lazy" })) frame.setAttribute(name, value);
    share.querySelector(".share-embed").value = frame.outerHTML;
  }

  function update() {
    updateSheets();
    shares.forEach(updateShare);
    if (whole) whole.href = at(`/${window.location.search}${window.location.hash}`);
  }

  const updateSoon = () => queueMicrotask(update); // once the address is written
  state.subscribe(updateSoon);
  map.on("moveend", updateSoon);
  for (const one of document.querySelectorAll(".embed-options")) one.hidden = false; // they need this script
  for (const share of shares)
    for (const name of ["toggle", "change"]) share.addEventListener(name, () => updateShare(share));
  update(); // the links of a file know nothing of its address
  bindCopying();
}

/** Return the sides of what no panel covers, as west,south,east,north. */
function boundsText(map) {
  const bounds = map.getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((one) => one.toFixed(3)).join(",");
}

/* Links to what the map shows, as files: the theme's layers with the filters that are set. */

export function createTaking({ state }) {
  const box = byId("taking");
  if (!box) return; // an embedded map has none

  function update() {
    const { theme, industry, cluster } = state.get();
    const query = new URLSearchParams({ theme });
    if (industry) query.set("industry", industry);
    if (cluster && theme === "clusters") query.set("cluster", cluster);
    for (const link of box.querySelectorAll("a[data-format]")) {
      link.href = at(`/data/plan.${link.dataset.format}?${query}`);
    }
    byId("taking-more").href = `${local(`/data/?${query}`)}#choose`;
  }

  state.subscribe(update);
  update();
}

/* On paper the map stands under its theme's title and beside its legend: say by how much it must shrink. */

// What the map may take of A4 landscape between 12 mm margins, at 96 dots per inch.
const WIDTH_PX = 760;
const HEIGHT_PX = 530;

export function createPrinting({ map, state, catalogue }) {
  window.addEventListener("beforeprint", () => {
    const { x, y } = map.getSize();
    const root = document.documentElement.style;
    const scale = Math.min(1, WIDTH_PX / x, HEIGHT_PX / y);
    byId("print-title").textContent = catalogue.themes.get(state.get().theme).title;
    root.setProperty("--print-scale", scale);
    root.setProperty("--print-width", `${x}px`);
    root.setProperty("--print-height", `${y}px`);
  });
}
