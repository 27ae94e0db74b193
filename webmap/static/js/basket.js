/** Places set aside to be compared: kept on this device, on every page, up to five. */

import { byId, el } from "./dom.js";
import { local, t } from "./site.js";

const KEY = "compare";
const MOST = 5;

function read() {
  try {
    const rows = JSON.parse(localStorage.getItem(KEY)) ?? [];
    return rows.filter((one) => typeof one.id === "string" && typeof one.name === "string").slice(0, MOST);
  } catch {
    return []; // nothing kept, or nothing of ours
  }
}

/** Bind every button that names a place to compare, also those that come later. */
export function bindBasket() {
  if (!byId("search")) return; // a map inside another's page
  const list = el("ul");
  const [compare, map] = [
    ["button main compare", "map.compare"],
    ["button on-map", "zone.on_map"],
  ].map(([kind, key]) => el("a", { class: kind, text: t(key) }));
  const clear = el("button", { type: "button", class: "button clear", text: t("map.clear"), onclick: () => set([]) });
  const attributes = { id: "basket", class: "basket", "aria-label": t("basket.title"), hidden: true };
  const box = el("aside", attributes, list, compare, map, clear);
  byId("main").append(box);
  let chosen = read();

  const has = (id) => chosen.some((one) => one.id === id);

  function set(rows) {
    chosen = rows;
    try {
      localStorage.setItem(KEY, JSON.stringify(rows));
    } catch {
      // kept as long as the page is open
    }
    draw();
  }

  function draw() {
    const ids = chosen.map((one) => one.id).join(",");
    box.hidden = !chosen.length;
    list.replaceChildren(...chosen.map(entry));
    compare.toggleAttribute("aria-disabled", chosen.length < 2);
    compare.href = local(`/compare?zones=${ids}`);
    map.href = local(`/?pick=${ids}`);
    mark();
  }

  function entry({ id, name }) {
    const label = t("compare.remove", { name });
    const button = { type: "button", "aria-label": label, title: label, dataset: { choose: id, name }, text: "×" };
    return el("li", {}, el("span", { text: name }), el("button", button));
  }

  function mark() {
    const isFull = chosen.length >= MOST;
    for (const button of document.querySelectorAll("[data-choose]")) {
      const on = has(button.dataset.choose);
      button.hidden = false;
      button.setAttribute("aria-pressed", String(on));
      button.disabled = isFull && !on;
      if (button.disabled) button.title = t("basket.full");
    }
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-choose]");
    if (!button) return;
    const { choose: id, name } = button.dataset;
    set(has(id) ? chosen.filter((one) => one.id !== id) : [...chosen, { id, name }]);
  });
  compare.addEventListener("click", (event) => chosen.length < 2 && event.preventDefault());
  window.addEventListener("storage", ({ key }) => key === KEY && set(read()));
  let waiting = false;
  const later = () => {
    if (!waiting) requestAnimationFrame(() => ((waiting = false), mark()));
    waiting = true;
  };
  for (const id of ["panel-body", "list-items"]) {
    if (byId(id)) new MutationObserver(later).observe(byId(id), { childList: true, subtree: true });
  }
  draw();
}
