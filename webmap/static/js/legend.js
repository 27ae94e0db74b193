/** The legend of the theme: its colours, its edges, its note. Clusters are switches. */

import { byId, el, svg } from "./dom.js";
import { badgeIcon, swatch, symbolIcon } from "./symbols.js";
import { t } from "./words.js";

const LINES = {
  solid: ["surveyed", "official", "digitised"],
  dashed: ["reconstructed", "derived"],
  dotted: ["indicative"],
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
    const look = feature ? catalogue.lookOf(feature, state.get()) : { hue: entry.colour, texture: index };
    const icon = swatch(look, feature?.edge);
    return entry.letter ? el("span", { class: "swatch-pair" }, icon, badgeIcon(entry)) : icon;
  }

  function accuracyKeys(theme, features) {
    const points = features.filter(catalogue.isPoint);
    const methods = new Set(features.filter((one) => !catalogue.isPoint(one)).map((one) => one.edge));
    const rows = Object.entries(LINES)
      .map(([line, drawn]) => [line, drawn.filter((method) => methods.has(method))])
      .filter(([, here]) => here.length)
      .map(([line, here]) => el("li", {}, edgeIcon(here[0]), el("span", { text: meaningOf(line, here) })));
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
  const line = svg("path", { class: `edge-line method-${method}`, d: "M1 9h26" });
  return svg("svg", { class: "swatch", viewBox: "0 0 28 18", width: 28, height: 18, "aria-hidden": "true" }, line);
}
