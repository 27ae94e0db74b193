/** Beside the map: themes, legend, filter, and the list that says the same as the map. */

import { byId, calm, el, svg } from "./dom.js";
import { lang, local, t } from "./site.js";
import { badgeIcon, fadingFill, swatch, symbolIcon } from "./symbols.js";

/* The theme control: a radio group, one theme at a time. */

export function createThemes({ state, catalogue }) {
  const box = byId("themes-choices");

  function option(theme) {
    const input = el("input", {
      type: "radio",
      name: "map-theme",
      id: `theme-${theme.id}`,
      value: theme.id,
      onchange: () => state.set({ theme: theme.id, cluster: null }, "key"),
    });
    return el("div", { class: "theme" }, input, el("label", { for: input.id, text: theme.title }));
  }

  function mark() {
    const input = byId(`theme-${state.get().theme}`);
    input.checked = true;
    const { left, width } = input.parentElement.getBoundingClientRect();
    const room = box.getBoundingClientRect();
    if (left < room.left || left + width > room.right) {
      const behavior = calm.matches ? "auto" : "smooth";
      box.scrollBy({ left: left - room.left - (room.width - width) / 2, behavior });
    }
  }

  box.replaceChildren(...[...catalogue.themes.values()].map(option));
  state.subscribe((now, before) => now.theme !== before.theme && mark());
  mark();
}

/* The legend of the theme: its colours, its edges, its note. Clusters are switches. */

const HALO = "#777777";
const LINES = {
  solid: ["surveyed", "official", "digitised"],
  soft: ["reconstructed", "derived"],
};

export function createLegend({ state, catalogue }) {
  const box = byId("legend-entries");

  function draw() {
    const now = state.get();
    const theme = catalogue.themes.get(now.theme);
    const features = catalogue.featuresOf(theme);
    const entries = theme.legend.map((entry, index) => entryOf(theme, entry, index, now));
    const parts = [
      ...(theme.colour_by === "cluster" ? [el("p", { class: "hint-text", text: t("map.cluster_hint") })] : []),
    ];
    parts.push(el("ul", { class: `legend-list${theme.colour_by === "cluster" ? " switches" : ""}` }, entries));
    parts.push(el("ul", { class: "legend-list edges" }, accuracyKeys(theme, features)));
    parts.push(el("p", { class: "theme-note", text: theme.note }));
    box.replaceChildren(...parts);
  }

  function entryOf(theme, entry, index, now) {
    const label = el("span", { class: "entry-label", text: entry.label });
    if (theme.colour_by !== "cluster") return el("li", {}, picture(theme, entry, index), label);
    const pressed = now.cluster === entry.key;
    const toggle = () => state.set({ cluster: pressed ? null : entry.key, industry: null }, "key");
    const button = {
      type: "button",
      "aria-pressed": String(pressed),
      onclick: toggle,
      dataset: { cluster: entry.key },
    };
    return el("li", {}, el("button", button, badgeIcon(entry), label));
  }

  function picture(theme, entry, index) {
    if (entry.symbol) return symbolIcon(entry);
    const feature = catalogue.featuresOf(theme).find((one) => catalogue.entryOf(one, theme)?.index === index);
    const plain = { theme: theme.id }; // whatever the filter
    if (feature && catalogue.isUnbounded(feature)) return withBadge(symbolIcon(catalogue.symbolOf(feature, plain), true), entry);
    const look = feature ? catalogue.lookOf(feature, plain) : { hue: entry.colour, texture: index };
    return withBadge(swatch(look, feature?.edge), entry);
  }

  function withBadge(icon, entry) {
    return entry.letter ? el("span", { class: "swatch-pair" }, icon, badgeIcon(entry)) : icon;
  }

  function accuracyKeys(theme, features) {
    const points = features.filter((one) => catalogue.isPoint(one) && !catalogue.isUnbounded(one));
    const methods = new Set(features.filter((one) => !catalogue.isPoint(one)).map((one) => one.edge));
    const rows = Object.entries(LINES)
      .map(([line, drawn]) => [line, drawn.filter((method) => methods.has(method))])
      .filter(([, here]) => here.length)
      .map(([line, here]) => el("li", {}, edgeIcon(here[0]), el("span", { text: meaningOf(line, here) })));
    if (features.some(catalogue.isUnbounded)) {
      rows.push(el("li", {}, haloIcon(), el("span", { text: t("map.line.spot") })));
    }
    if (points.some(catalogue.isHollow)) {
      const sample = theme.legend.find((entry) => entry.symbol) ?? {};
      rows.push(
        el(
          "li",
          {},
          symbolIcon({ ...sample, letter: "", colour: "#777777" }, true),
          el("span", { text: t("map.edge.hollow") }),
        ),
      );
    }
    return rows;
  }

  state.subscribe((now, before) => {
    if (now.theme !== before.theme) draw();
    else if (now.cluster !== before.cluster) press(now);
  });
  draw();

  /** Redraw only what changed, so that the pressed button keeps the focus. */
  function press(now) {
    const focused = document.activeElement?.dataset?.cluster;
    draw();
    if (focused) box.querySelector(`[data-cluster="${CSS.escape(focused)}"]`)?.focus();
    return now;
  }
}

/** Return what a kind of line says of the boundaries that are drawn with it. */
function meaningOf(line, methods) {
  const meanings = methods.map((method) => t(`map.edge.${method}`)).join(t("common.list_comma"));
  return t(`map.line.${line}`, { meaning: meanings });
}

function edgeIcon(method) {
  const [soft, d] = [LINES.soft.includes(method), "M1 9h26"];
  const band = soft ? [0, 1, 2].map(() => svg("path", { class: "edge-band", d })) : [];
  for (const [index, path] of band.entries()) path.style.setProperty("--width-m", 13 - 4.5 * index);
  const line = svg("path", { class: `edge ${soft ? "edge-guessed" : "edge-known"}`, d });
  return svg("svg", { class: "swatch edge-icon", viewBox: "0 0 28 18", width: 28, height: 18, "aria-hidden": "true" }, ...band, line);
}

function haloIcon() {
  const node = symbolIcon({ symbol: "spot", letter: "", colour: HALO }, true);
  const halo = svg("circle", { class: "halo-icon", r: 12 });
  halo.style.fill = fadingFill(HALO);
  node.prepend(halo);
  return node;
}

/* The industry filter: a plain select, grouped by cluster. */

export function createFilter({ state, catalogue }) {
  const [select, page] = ["industry", "industry-page"].map(byId);
  const { industries } = catalogue.payload;

  function draw() {
    const theme = catalogue.themes.get(state.get().theme);
    const counts = count(catalogue.featuresOf(theme));
    const used = new Set([...catalogue.features.values()].flatMap((one) => one.industries ?? []));
    const groups = [...catalogue.clusters.values(), { id: null, name: t("map.no_cluster"), letter: null }];
    select.replaceChildren(el("option", { value: "", text: t("map.all_industries") }));
    for (const cluster of groups) {
      const ids = Object.keys(industries).filter((id) => used.has(id) && industries[id].cluster === cluster.id);
      const label = cluster.letter ? `${cluster.letter} ${cluster.name}` : cluster.name;
      if (ids.length)
        select.append(
          el(
            "optgroup",
            { label },
            ids.map((id) => option(id, counts.get(id) ?? 0)),
          ),
        );
    }
    mark();
  }

  const option = (id, number) =>
    el("option", { value: id, text: t("map.industry_count", { name: industries[id].name, count: number }) });

  function mark() {
    const { industry } = state.get();
    select.value = industry ?? "";
    byId("industry-clear").hidden = !industry;
    page.hidden = !industry;
    if (industry) page.href = local(`/industries/${industry}`);
    byId("industry-note").hidden = !industry;
    byId("industry-note").textContent = industry ? noteOf(industry) : "";
  }

  /** Return for which places of all themes the plan lists an industry, and what is shown lighter. */
  function noteOf(industry) {
    const own = catalogue.placesFor(industry);
    const names = own.map((one) => one.short ?? one.name).join(t("common.comma"));
    const reached = [...catalogue.features.values()].some((one) => catalogue.isReached(one, { industry }));
    const said = own.length ? t("map.industry_places", { count: own.length, names }) : t("map.industry_no_place");
    return reached ? `${said} ${t("map.industry_reached")}` : said;
  }

  select.disabled = false;
  select.addEventListener("change", () => state.set({ industry: select.value || null, cluster: null }, "key"));
  byId("industry-clear").addEventListener("click", () => {
    state.set({ industry: null }, "key");
    select.focus();
  });
  state.subscribe((now, before) => (now.theme === before.theme ? mark() : draw()));
  draw();
}

function count(features) {
  const counts = new Map();
  for (const id of features.flatMap((one) => one.industries ?? [])) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/* The map as a list: everything the theme draws, and what it cannot draw because no place is known. */

export function createList({ state, catalogue }) {
  const box = byId("list-items");

  function draw() {
    const now = state.get();
    const theme = catalogue.themes.get(now.theme);
    const all = catalogue.featuresOf(theme);
    const shown = all.filter((one) => catalogue.matches(one, now));
    const drawn = shown.filter(catalogue.isLocated);
    const groups = groupsOf(theme, drawn).filter(([, rows]) => rows.length);
    byId("list-count").textContent = t("map.list_count", { shown: drawn.length, all: all.length });
    const empty = el("p", { class: "nothing", text: t("map.none_match") });
    box.replaceChildren(
      ...(shown.length ? groups.map(([title, rows]) => group(title, rows, theme, groups.length)) : [empty]),
      ...unplaced(
        shown.filter((one) => !catalogue.isLocated(one)),
        theme,
        drawn.length,
      ),
    );
    mark();
  }

  function groupsOf(theme, shown) {
    if (shown.every(catalogue.isPoint) && theme.legend.length) {
      return theme.legend.map((entry, index) => [
        entry.label,
        shown.filter((one) => catalogue.entryOf(one, theme)?.index === index),
      ]);
    }
    return theme.layers.map((layer) => [t(`layer.${layer}`), shown.filter((one) => one.layer === layer)]);
  }

  /** What no place is given for: folded away, unless it is all there is or the selected one is among it. */
  function unplaced(rows, theme, drawn) {
    if (!rows.length) return [];
    const title = t("map.unplaced", { count: rows.length });
    const groups = groupsOf(theme, rows).filter(([, some]) => some.length);
    const parts = groups.map(([heading, some]) => group(heading, some, theme, 2));
    return [el("details", { class: "list-unplaced", open: !drawn }, el("summary", { text: title }), parts)];
  }

  function group(title, rows, theme, count) {
    const items = el(
      "ul",
      { class: "list" },
      rows.map((one) => el("li", {}, item(one, theme))),
    );
    return el("div", { class: "list-group" }, count > 1 ? el("h3", { text: title }) : null, items);
  }

  function item(feature, theme) {
    const known = catalogue.isLocated(feature);
    const letters =
      theme.colour_by === "cluster" ? (feature.clusters ?? []).map((id) => catalogue.clusters.get(id)) : [];
    return el(
      "button",
      {
        type: "button",
        class: `list-item${known ? "" : " unplaced"}`,
        dataset: { id: feature.id },
        onclick: () => state.set({ zone: feature.id }, "list"),
      },
      picture(feature),
      el("span", { class: "item-name" }, el("span", { text: feature.name }), chineseOf(feature)),
      letters.length
        ? el(
            "span",
            { class: "item-letters" },
            letters.map((one) => badgeIcon(one, one.name)),
          )
        : null,
    );
  }

  const chineseOf = (feature) =>
    lang() !== "zh" && feature.zh !== feature.name ? el("span", { class: "zh", lang: "zh", text: feature.zh }) : null;

  function picture(feature) {
    if (catalogue.isPoint(feature)) return symbolIcon(catalogue.symbolOf(feature, state.get()), catalogue.isHollow(feature));
    return swatch(catalogue.lookOf(feature, state.get()), feature.edge);
  }

  function mark() {
    for (const button of box.querySelectorAll(".list-item")) {
      const current = button.dataset.id === state.get().zone;
      button.setAttribute("aria-pressed", String(current));
      if (current) button.closest("details")?.setAttribute("open", "");
    }
  }

  const content = ({ theme, industry, cluster }) => `${theme} ${industry} ${cluster}`;
  state.subscribe((now, before) => (content(now) === content(before) ? mark() : draw()));
  draw();
}
