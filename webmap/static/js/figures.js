/** The theme's polygons, and the outline of the selected one. */

import { t } from "./site.js";
import { dress } from "./symbols.js";

/* The polygons of the theme: drawn back to front, selectable by pointer and keyboard. */

const STATES = ["selected", "faded", "matching", "reached", "masking", "outlined"];

export function createFigures(app) {
  const { map, state, catalogue, shapes, suffix = "" } = app;
  const pane = `area${suffix}`; // right of the slider there is another
  const group = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane, padding: 0.5 }); // one for all: each costs the browser a layer
  const drawn = new Map();

  function draw() {
    group.clearLayers();
    drawn.clear();
    const theme = catalogue.themes.get(state.get().theme);
    if (theme.context.includes("zones")) drawContext();
    const features = catalogue.shownIn(state.get()).filter((one) => !catalogue.isPoint(one) && shapes.has(one.id));
    const layers = [...new Set(features.map((one) => one.layer))];
    const order = (a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer) || b.area_km2 - a.area_km2;
    features.sort(order).forEach(drawFigure);
    restyle();
  }

  function drawContext() {
    const options = { pane, className: "ground-context", interactive: false, fill: false, ...shapes.drawing };
    L.polyline(shapes.lines("zone-lines"), { ...options, renderer }).addTo(group);
  }

  function drawFigure(feature) {
    const options = {
      pane,
      renderer,
      className: `figure method-${feature.edge}`,
      ...shapes.drawing,
    };
    const path = L.polygon(shapes.polygon(feature.id), options).addTo(group).getElement();
    const kind = t(`kind.${feature.kind}`);
    path.dataset.id = feature.id;
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    const text = catalogue.isSchematic(feature) ? "map.figure_schematic" : "map.figure";
    path.setAttribute("aria-label", t(text, { name: feature.name, kind }));
    drawn.set(feature.id, path);
  }

  function restyle() {
    const now = state.get();
    for (const [id, path] of drawn) {
      const feature = catalogue.features.get(id);
      dress(path, catalogue.lookOf(feature, now));
      path.style.setProperty("--opacity", catalogue.opacityOf(feature, now));
      const flags = statesOf(feature, now);
      for (const name of STATES) path.classList.toggle(`is-${name}`, flags[name]);
      path.setAttribute("aria-pressed", String(flags.selected));
    }
  }

  function statesOf(feature, now) {
    const selected = feature.id === now.zone;
    const filtered = catalogue.isFiltered(now);
    const matching = filtered && catalogue.matches(feature, now);
    const reached = filtered && !matching && catalogue.isReached(feature, now);
    const other = catalogue.focusOf(now) && !selected;
    return {
      selected,
      matching,
      reached,
      outlined: catalogue.isOutlined(feature, now),
      masking: filtered && !matching && !reached && !selected,
      faded: Boolean(filtered ? !matching && !reached && !selected : other),
    };
  }

  state.subscribe((now, before) => (catalogue.contentOf(now) === catalogue.contentOf(before) ? restyle() : draw()));
  shapes.onChange(draw);
  draw();
}

/* The edge of the selected polygon: dark on a white halo, above everything else. */

export function createOutline({ map, state, catalogue, shapes }) {
  const group = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane: "line", padding: 0.5 });

  function draw() {
    group.clearLayers();
    const feature = catalogue.features.get(state.get().zone);
    if (!feature || !shapes.has(feature.id)) return;
    for (const part of ["halo", "edge"]) {
      const className = `outline-${part} method-${feature.edge}`;
      const options = { pane: "line", renderer, className, interactive: false, fill: false, ...shapes.drawing };
      L.polygon(shapes.polygon(feature.id), options).addTo(group);
    }
  }

  state.subscribe((now, before) => now.zone !== before.zone && draw());
  shapes.onChange(draw);
  draw();
}
