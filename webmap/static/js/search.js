/** The search box: a combobox over names in every language; what is on the map opens there. */

import { fetchJson } from "./data.js";
import { byId, el } from "./dom.js";
import { lang, local, t } from "./words.js";

const WAIT_MS = 160;
const MAX_SHOWN = 10;

export function createSearch(app) {
  const input = byId("search");
  const form = input.form;
  const list = el("ul", { id: "search-results", role: "listbox", "aria-label": t("map.search_results"), hidden: true });
  let results = [];
  let active = -1;
  let asking = null;
  let timer = 0;

  const attributes = {
    role: "combobox",
    "aria-controls": list.id,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
  };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  form.append(list);

  async function ask() {
    const query = input.value.trim();
    asking?.abort();
    if (!query) return close();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const url = `/search.json?${new URLSearchParams({ q: query, lang: lang() })}`;
      show((await fetchJson(url, { signal })).results.slice(0, MAX_SHOWN));
    } catch (error) {
      if (error.name !== "AbortError") message(t("map.search_failed"));
    }
  }

  function show(found) {
    results = found;
    active = -1;
    if (!found.length) return message(t("map.search_none"));
    list.replaceChildren(...found.map(option));
    open();
  }

  function message(text) {
    results = [];
    list.replaceChildren(
      el("li", { role: "option", class: "search-none", "aria-disabled": "true", "aria-selected": "false", text }),
    );
    open();
  }

  function option(result, index) {
    return el(
      "li",
      {
        id: `search-result-${index}`,
        role: "option",
        "aria-selected": "false",
        onmousedown: (event) => event.preventDefault(), // keeps the focus in the box
        onclick: () => choose(result),
      },
      el("span", { class: "result-name", text: result.name }),
      result.zh !== result.name ? el("span", { class: "zh", lang: "zh", text: result.zh }) : null,
      el("span", { class: "muted", text: t(`map.found.${result.layer}`) }),
    );
  }

  function open() {
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function move(by) {
    if (list.hidden || !results.length) return;
    active = (active + by + results.length) % results.length;
    [...list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === active)));
    list.children[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[active].id);
  }

  function choose(result) {
    close();
    input.value = result.name;
    openResult(app, result);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("focus", () => results.length && input.value && open());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      move(by);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  form.addEventListener("submit", (event) => {
    const result = list.hidden ? null : results[Math.max(active, 0)];
    if (!result) return;
    event.preventDefault();
    choose(result);
  });
}

/** Open a result: on the map where it is there, else its page. */
function openResult({ state, catalogue, view }, { id, layer, url, at }) {
  if (catalogue.features.has(id)) {
    state.set({ zone: id, theme: catalogue.themeFor(id, state.get().theme) }, "search");
  } else if (layer === "clusters" && catalogue.clusters.has(id)) {
    state.set({ theme: "clusters", cluster: id, industry: null, zone: null }, "search");
  } else if (layer === "industries" && Object.hasOwn(catalogue.payload.industries, id)) {
    state.set({ industry: id, cluster: null, zone: null }, "search");
  } else if (at) {
    view.flyTo([at[1], at[0]], 12.5);
  } else if (url) {
    window.location.assign(local(url));
  }
}
