/** The search box of every page: answers as one types, from the server or from its tables. */

import { byId, el } from "./dom.js";
import { at, fetchJson, later, served, t } from "./site.js";

/** Return nodes, never markup, for `text` with the `[start, end)` ranges of its characters marked. */
function marked(text, ranges = []) {
  const letters = [...text]; // characters, as the server counts them
  const nodes = [];
  let at = 0;
  for (const [start, end] of ranges ?? []) {
    nodes.push(document.createTextNode(letters.slice(at, start).join("")));
    nodes.push(el("mark", { text: letters.slice(start, end).join("") }));
    at = end;
  }
  nodes.push(document.createTextNode(letters.slice(at).join("")));
  return nodes;
}

/* Ask the server, or where the site is files the tables that it would answer from, fetched with the first question. */

const offline = new Map(); // functions that answer, by language

export async function answerOffline(query, lang) {
  if (!offline.has(lang)) offline.set(lang, readAnswering(lang));
  return (await offline.get(lang))(query);
}

async function readAnswering(lang) {
  const tables = ["search", lang].map((name) => fetchJson(`/answers/${name}.json`));
  const [{ createAnswering }, ...read] = await Promise.all([later("offline-search"), ...tables]);
  return createAnswering(...read);
}

/* The search box of every page: a combobox over names in every language, grouped by kind. */

const WAIT_MS = 120;
const MAX_SHOWN = 10;

/** Return what answers a query. */
const find = (query, lang, signal) =>
  served ? fetchJson(`/search.json?${new URLSearchParams({ q: query, lang })}`, { signal }) : answerOffline(query, lang);

/** Bind the box; `open(result)` opens a chosen one and returns whether it could, else its page is visited. */
export function createSearch(open = () => false) {
  const input = byId("search");
  const form = input.form;
  const { lang } = document.documentElement;
  const list = el("div", { id: "search-results", role: "listbox", "aria-label": t("finding.results"), hidden: true });
  const live = el("p", { class: "hidden", role: "status" });
  let options = []; // {node, pick} in the order that the arrow keys follow
  let active = -1;
  let asking = null;
  let answered = ""; // the text that the list is about
  let timer = 0;

  const attributes = {
    role: "combobox",
    "aria-controls": list.id,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
  };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  form.append(list, live);
  form.classList.remove("waiting");

  async function ask() {
    const query = input.value.trim();
    asking?.abort();
    if (!query) return close();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const answer = await find(query, lang, signal);
      if (signal.aborted) return;
      answered = query;
      show(answer);
    } catch (error) {
      if (error.name !== "AbortError") fill([note(t("finding.failed"))]);
    }
  }

  function show({ q, results, near, said }) {
    options = [];
    const nodes = said ? [note(said)] : [];
    nodes.push(...groups(results.slice(0, MAX_SHOWN)));
    if (near.length) nodes.push(group(t(near[0].how === "nearest" ? "finding.nearest" : "finding.near"), near));
    if (served) nodes.push(option({ class: "all" }, () => visit(`/search?${new URLSearchParams({ q })}`), [t("finding.all", { q })]));
    fill(nodes);
    live.textContent = said || results.slice(0, 1).map((one) => one.name).join("");
  }

  /** Return the results under the name of their kind, the kind of the best one first. */
  function groups(results) {
    const kinds = [...new Set(results.map((result) => result.group))];
    return kinds.map((kind) =>
      group(
        kind,
        results.filter((result) => result.group === kind),
      ),
    );
  }

  function group(name, results) {
    const head = el("div", { class: "group", role: "presentation", text: name });
    return el("div", { role: "group", "aria-label": name }, head, results.map(resultOption));
  }

  function resultOption(result) {
    const { name, zh, match, says } = result;
    return option({}, () => choose(result), [
      el("span", { class: "result-name" }, marked(name, result.marks)),
      zh === name ? null : el("span", { class: "zh", lang: "zh" }, marked(zh, match === zh ? result.match_marks : [])),
      result.marks?.length || [name, zh].includes(match) ? null : el("span", { class: "match" }, marked(match, result.match_marks)),
      says ? el("span", { class: "says", text: says }) : null,
    ]);
  }

  function option(attributes, pick, children) {
    const node = el(
      "div",
      {
        id: `search-result-${options.length}`,
        role: "option",
        "aria-selected": "false",
        onmousedown: (event) => event.preventDefault(), // keeps the focus in the box
        onclick: pick,
        ...attributes,
      },
      children,
    );
    options.push({ node, pick });
    return node;
  }

  const note = (text) => el("div", { class: "note", role: "presentation", text });

  function fill(nodes) {
    active = -1;
    input.removeAttribute("aria-activedescendant");
    list.replaceChildren(...nodes);
    expand();
  }

  function expand() {
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
    if (list.hidden || !options.length) return;
    active = active < 0 && by < 0 ? options.length - 1 : (active + by + options.length) % options.length;
    options.forEach(({ node }, index) => node.setAttribute("aria-selected", String(index === active)));
    options[active].node.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[active].node.id);
  }

  function choose(result) {
    const asked = input.value.trim();
    close();
    input.value = result.name;
    if (!open(result, asked)) visit(result.url);
  }

  /** Go to a page of ours in the reader's language. */
  function visit(path) {
    const address = new URL(at(path), window.location.href);
    if (served) address.searchParams.set("lang", lang);
    window.location.assign(address);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("focus", () => options.length && input.value && expand());
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
  form.addEventListener("submit", async (event) => {
    if (served && (list.hidden || active < 0)) return; // the page of all results, with its answer
    event.preventDefault();
    if (!served && answered !== input.value.trim()) {
      clearTimeout(timer);
      await ask(); // what is shown answers what was typed before
    }
    if (!list.hidden) options[Math.max(active, 0)]?.pick();
  });
}

/* Open what was found: on the map where it is there. */

const POINTS = new Set(["platforms", "gateways"]);

/** Return whether the map could show the result. */
export function openOnMap({ state, catalogue, view }, { id, layer, at }, q = null) {
  if (layer === "own") {
    const [name, feature] = id.split("/");
    const on = (state.get().layers ?? "").split(",").filter(Boolean);
    if (!on.some((one) => one.startsWith(`${name}:`))) on.unshift(`${name}:100`);
    state.set({ layers: on.join(","), q, ...(feature && { own: `${name}:${feature}` }) }, "search");
  } else if (catalogue.features.has(id)) {
    state.set({ zone: id, q, theme: catalogue.themeFor(id, state.get().theme) }, "search");
  } else if (layer === "clusters" && catalogue.clusters.has(id)) {
    state.set({ theme: "clusters", cluster: id, industry: null, zone: null }, "search");
  } else if (layer === "industries" && isDesignated(catalogue, id)) {
    state.set({ industry: id, cluster: null, zone: null }, "search");
  } else if (at) {
    view.flyTo([at[1], at[0]], 12.5);
  } else {
    return false;
  }
  return true;
}

/** Return whether the map can show an industry: one that no place is designated for has only its page. */
function isDesignated(catalogue, industry) {
  const places = [...catalogue.features.values()].filter((one) => !POINTS.has(one.layer));
  return places.some((one) => one.industries?.includes(industry));
}
