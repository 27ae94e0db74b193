/** Beside the map: themes, layers, legend, filter, and the list that says the same as the map. */

import { STYLE } from "./cartography.js";
import { listOf, overlaysOf } from "./catalogue.js";
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
      onchange: () => state.set({ theme: theme.id, cluster: null, hide: catalogue.ownHidden(state.get().hide) }, "key"),
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

/* What is laid over the theme: any other layers, each with its opacity, the topmost first. */

export function createLayers({ state, catalogue }) {
  const box = byId("layer-choices");
  const write = (rows, origin = "key") =>
    state.set({ layers: rows.map(({ layer, opacity }) => `${layer}:${opacity}`).join(",") || null }, origin);

  function draw() {
    const rows = overlaysOf(state.get());
    const drawn = catalogue.themes.get(state.get().theme).layers;
    const rest = catalogue.layers.filter((layer) => !rows.some((one) => one.layer === layer));
    const order = [...rows.map((one) => one.layer), ...rest].filter((layer) => !drawn.includes(layer));
    const focused = document.activeElement?.id;
    box.replaceChildren(...order.map((layer) => el("li", {}, choice(layer, rows))));
    if (focused && !box.contains(document.activeElement)) box.querySelector(`#${CSS.escape(focused)}`)?.focus();
    byId("layers-count").textContent = rows.length ? String(rows.filter((one) => !drawn.includes(one.layer)).length || "") : "";
  }

  function choice(layer, rows) {
    const at = rows.findIndex((one) => one.layer === layer);
    const name = t(`layer.${layer}`);
    const input = el("input", { type: "checkbox", id: `over-${layer}`, onchange: () => toggle(layer) });
    input.checked = at >= 0;
    const own = at < 0 && catalogue.ownLayers.has(layer); // of one that is on, the legend says so
    const label = el("label", {}, input, el("span", { text: name }), own && el("span", { class: "tag caution", text: t("own.mark") }));
    return at < 0 ? [label] : [label, opacity(layer, name, rows[at]), lift(layer, name, at)];
  }

  function toggle(layer) {
    const rows = overlaysOf(state.get());
    const others = rows.filter((one) => one.layer !== layer);
    write(others.length < rows.length ? others : [{ layer, opacity: 100 }, ...rows]);
  }

  function opacity(layer, name, row) {
    const oninput = ({ target }) =>
      write(overlaysOf(state.get()).map((one) => (one.layer === layer ? { layer, opacity: target.value } : one)), "drag");
    const range = { type: "range", min: 10, max: 100, step: 10, id: `opacity-${layer}`, oninput };
    return el("input", { ...range, value: row.opacity, "aria-label": t("map.layers.opacity", { name }) });
  }

  /** A button that lays a layer over the one above it; the topmost has none above. */
  function lift(layer, name, at) {
    const label = t("map.layers.lift", { name });
    const onclick = () => {
      const rows = overlaysOf(state.get());
      [rows[at - 1], rows[at]] = [rows[at], rows[at - 1]];
      write(rows);
    };
    return el("button", { type: "button", class: "icon-button", id: `lift-${layer}`, disabled: !at, title: label, "aria-label": label, onclick }, "↑");
  }

  const shownOf = ({ theme, layers }) => `${theme} ${layers?.replace(/:\d+/g, "")}`;
  state.subscribe((now, before) => shownOf(now) !== shownOf(before) && draw());
  draw();
  byId("layers").open = Boolean(state.get().layers);
}

/* The legend of the theme: its classes, which are switches, its edges, its note; or what answers a question. */

export function createLegend({ state, catalogue }) {
  const box = byId("legend-entries");

  function draw() {
    const now = state.get();
    const theme = catalogue.themes.get(now.theme);
    const features = catalogue.featuresOf(theme);
    const asked = now.industry || now.pick;
    const entries = asked ? answerKeys(now) : theme.legend.map((entry, index) => entryOf(theme, entry, index, now));
    const focused = document.activeElement?.dataset?.key; // the pressed button keeps the focus
    box.replaceChildren(
      ...(theme.colour_by === "cluster" && !asked ? [el("p", { class: "hint-text", text: t("map.cluster_hint") })] : []),
      el("ul", { class: `legend-list${asked ? "" : " switches"}` }, entries),
      el("ul", { class: "legend-list edges" }, tiedKey(theme, now), accuracyKeys(theme, features)),
      el("p", { class: "theme-note", text: theme.note }),
    );
    if (focused) box.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** What has the colour of no cluster though it has industries of some. */
  function tiedKey(theme, now) {
    if (theme.colour_by !== "cluster" || catalogue.isFiltered(now)) return null;
    return el("li", {}, swatch({ hue: STYLE.hues.neutral, texture: -1 }, "official"), el("span", { text: t("map.answer.tied") }));
  }

  /** A class that is switched on and off, or a cluster that is asked about. */
  function entryOf(theme, entry, index, now) {
    const clusters = theme.colour_by === "cluster";
    const hidden = listOf(now.hide);
    const pressed = clusters ? now.cluster === entry.key : !hidden.includes(entry.key);
    const hide = (pressed ? [...hidden, entry.key] : hidden.filter((one) => one !== entry.key)).join(",") || null;
    const onclick = () => state.set(clusters ? { cluster: pressed ? null : entry.key, industry: null } : { hide }, "key");
    const button = { type: "button", "aria-pressed": String(pressed), onclick, dataset: { key: entry.key } };
    const icon = clusters ? withBadge(swatch({ hue: entry.colour, texture: index }, "official"), entry) : picture(theme, entry, index);
    return el("li", {}, el("button", button, icon, el("span", { class: "entry-label", text: entry.label })));
  }

  function answerKeys(now) {
    const hue = catalogue.strongOf(now);
    const outlined = catalogue.shownIn(now).some((one) => catalogue.isOutlined(one, now));
    const key = (icon, text) => el("li", {}, icon, el("span", { text: t(`map.answer.${text}`) }));
    return [
      key(swatch({ hue, texture: -1 }, "official", "is-matching"), now.pick ? "picked" : "hit"),
      outlined ? key(swatch({ hue, texture: -1 }, "official", "is-outlined"), "area") : null,
      catalogue.shownIn(now).some((one) => catalogue.isReached(one, now))
        ? key(swatch({ hue, texture: -1 }, "official", "is-reached"), "reached")
        : null,
      now.pick ? null : key(swatch({ hue: STYLE.hues.neutral, texture: -1, light: true }, "official", "is-faded"), "other"),
    ];
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
    const rows = Object.entries(STYLE.edges)
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
          symbolIcon({ ...sample, letter: "", colour: STYLE.hues.unknown }, true),
          el("span", { text: t("map.edge.hollow") }),
        ),
      );
    }
    return rows;
  }

  const content = (now) => `${catalogue.contentOf(now)} ${now.cluster}`;
  state.subscribe((now, before) => content(now) !== content(before) && draw());
  draw();
}

/** Return what a kind of line says of the boundaries that are drawn with it. */
function meaningOf(line, methods) {
  const meanings = methods.map((method) => t(`map.edge.${method}`)).join(t("common.list_comma"));
  return t(`map.line.${line}`, { meaning: meanings });
}

function edgeIcon(method) {
  const [soft, d] = [STYLE.edges.soft.includes(method), "M1 9h26"];
  const band = soft ? [0, 1, 2].map(() => svg("path", { class: "edge-band", d })) : [];
  for (const [index, path] of band.entries()) path.style.setProperty("--width-m", 13 - 4.5 * index);
  const line = svg("path", { class: `edge ${soft ? "edge-guessed" : "edge-known"}`, d });
  return svg("svg", { class: "swatch edge-icon", viewBox: "0 0 28 18", width: 28, height: 18, "aria-hidden": "true" }, ...band, line);
}

function haloIcon() {
  const node = symbolIcon({ symbol: "spot", letter: "", colour: STYLE.hues.unknown }, true);
  const halo = svg("circle", { class: "halo-icon", r: 12 });
  halo.style.fill = fadingFill(STYLE.hues.unknown);
  node.prepend(halo);
  return node;
}

/* The industry filter: a plain select, grouped by cluster. */

export function createFilter({ state, catalogue }) {
  const [select, page] = ["industry", "industry-page"].map(byId);
  const { industries } = catalogue.payload;

  function draw() {
    const counts = count([...catalogue.features.values()].filter((one) => catalogue.isArea(one)));
    const groups = [...catalogue.clusters.values(), { id: null, name: t("map.no_cluster"), letter: null }];
    select.replaceChildren(el("option", { value: "", text: t("map.all_industries") }));
    for (const cluster of groups) {
      const ids = Object.keys(industries).filter((id) => counts.has(id) && industries[id].cluster === cluster.id);
      const label = cluster.letter ? `${cluster.letter} ${cluster.name}` : cluster.name;
      if (ids.length)
        select.append(
          el(
            "optgroup",
            { label },
            ids.map((id) => option(id, counts.get(id))),
          ),
        );
    }
    const without = Object.keys(industries).filter((id) => !counts.has(id));
    const options = without.map((id) => el("option", { value: id, text: industries[id].name }));
    if (options.length) select.append(el("optgroup", { label: t("map.no_place") }, options));
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
  select.addEventListener("change", () => state.set({ industry: select.value || null, cluster: null, pick: null }, "key"));
  byId("industry-clear").addEventListener("click", () => {
    state.set({ industry: null }, "key");
    select.focus();
  });
  state.subscribe(mark);
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
    const all = catalogue.shownIn(now);
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
    const layers = [...new Set([...theme.layers, ...shown.map((one) => one.layer)])];
    return layers.map((layer) => [t(`layer.${layer}`), shown.filter((one) => one.layer === layer)]);
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
      rows.map((one) => el("li", {}, item(one, theme), chooser(one))),
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
      el("span", { class: "item-name" }, el("span", { text: feature.name }), " ", chineseOf(feature)),
      letters.length
        ? el(
            "span",
            { class: "item-letters" },
            letters.map((one) => badgeIcon(one, one.name)),
          )
        : null,
    );
  }

  /** A button that sets a place aside to be compared. */
  function chooser({ id, name, layer }) {
    if (!byId("search") || ["platforms", "gateways"].includes(layer)) return null;
    const label = t("map.choose_for", { name });
    return el("button", { type: "button", class: "set-aside", "aria-label": label, title: label, dataset: { choose: id, name } });
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

  const content = (now) => `${catalogue.contentOf(now)} ${now.cluster}`;
  state.subscribe((now, before) => (content(now) === content(before) ? mark() : draw()));
  draw();
}
