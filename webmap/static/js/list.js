/** The map as a list: everything the theme draws, and what it cannot draw because no place is known. */

import { byId, el } from "./dom.js";
import { badgeIcon, swatch, symbolIcon } from "./symbols.js";
import { lang, t } from "./words.js";

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
      picture(feature, theme),
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

  function picture(feature, theme) {
    const entry = catalogue.entryOf(feature, theme);
    if (catalogue.isPoint(feature)) return symbolIcon(entry, catalogue.isHollow(feature));
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
