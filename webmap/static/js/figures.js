/** The polygons of the theme: drawn back to front, selectable by pointer and keyboard. */

import { dress } from "./patterns.js";
import { t } from "./words.js";

const PANES = {
  counties: "area",
  zones: "zone",
  parks: "park",
  "five-zones": "area",
  belts: "area",
  "marine-cores": "park",
};
const STATES = ["selected", "faded", "matching", "masking"];

export function createFigures(app) {
  const { map, state, catalogue, shapes } = app;
  const group = L.layerGroup().addTo(map);
  const renderers = {};
  const drawn = new Map();

  function rendererOf(pane) {
    renderers[pane] ??= L.svg({ pane, padding: 0.5 });
    return renderers[pane];
  }

  function draw() {
    group.clearLayers();
    drawn.clear();
    const theme = catalogue.themes.get(state.get().theme);
    for (const layer of theme.context) if (layer !== "counties") drawContext(layer);
    for (const layer of theme.layers) {
      const features = catalogue.featuresOf({ layers: [layer] }).filter((one) => shapes.has(one.id));
      for (const feature of features.sort((a, b) => b.area_km2 - a.area_km2)) drawFigure(feature);
    }
    restyle();
  }

  function drawContext(layer) {
    for (const feature of catalogue.featuresOf({ layers: [layer] })) {
      if (shapes.has(feature.id)) addPolygon(feature, "county", "ground-context", false);
    }
  }

  function drawFigure(feature) {
    const polygon = addPolygon(feature, PANES[feature.layer], `figure method-${feature.method}`, true);
    const path = polygon.getElement();
    const kind = t(`kind.${feature.kind}`);
    path.dataset.id = feature.id;
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    path.setAttribute("aria-label", catalogue.isSchematic(feature) ? t("map.figure_schematic", { name: feature.name, kind }) : t("map.figure", { name: feature.name, kind }));
    drawn.set(feature.id, path);
  }

  function addPolygon(feature, pane, className, interactive) {
    const options = { pane, className, interactive, renderer: rendererOf(pane), smoothFactor: 0.4 };
    return L.polygon(shapes.polygon(feature.id), options).addTo(group);
  }

  function restyle() {
    const now = state.get();
    for (const [id, path] of drawn) {
      const feature = catalogue.features.get(id);
      dress(path, catalogue.lookOf(feature, now));
      const flags = statesOf(feature, now);
      for (const name of STATES) path.classList.toggle(`is-${name}`, flags[name]);
      path.setAttribute("aria-pressed", String(flags.selected));
    }
  }

  function statesOf(feature, now) {
    const selected = feature.id === now.zone;
    const filtered = catalogue.isFiltered(now);
    const matching = filtered && catalogue.matches(feature, now);
    const other = now.zone && catalogue.features.get(now.zone) && !selected;
    return {
      selected,
      matching,
      masking: filtered && !matching && !selected && feature.layer === "zones",
      faded: Boolean(filtered ? !matching && !selected : other),
    };
  }

  state.subscribe((now, before) => (now.theme === before.theme ? restyle() : draw()));
  shapes.onChange(draw);
  draw();
}
