/** The symbols of a point theme: hollow where the place is roughly known, spread where they coincide. */

import { svg } from "./dom.js";
import { Overlay } from "./ground.js";
import { t } from "./site.js";
import { fadingFill, symbol } from "./symbols.js";

const NEAR_PX = 15;
const STEP_PX = 25;

export function createPoints(app) {
  const { map, state, catalogue } = app;
  const overlay = new Overlay(map, "place", "points");
  const halos = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane: "halo", padding: 0.5 });

  function draw() {
    const theme = catalogue.themes.get(state.get().theme);
    const spots = catalogue
      .featuresOf(theme)
      .filter(catalogue.isPoint)
      .flatMap((one) => catalogue.spotsOf(one).map(([lat, lon, radius], index) => ({ one, index, at: [lat, lon], radius })));
    app.spread = spread(
      spots.map(({ one, index, at }) => ({ id: index ? `${one.id} ${index}` : one.id, at })),
      map,
    );
    overlay.show(spots.map((spot) => ({ at: spot.at, node: build(spot) })));
    halos.clearLayers();
    for (const { one, at, radius } of spots) {
      if (!catalogue.isUnbounded(one)) continue;
      const options = { pane: "halo", renderer, radius, className: "halo", interactive: false };
      const path = L.circle(at, options).addTo(halos).getElement();
      path.style.fill = fadingFill(catalogue.lookOf(one, state.get()).hue);
    }
    restyle();
  }

  function build({ one: feature, index }) {
    const kind = t(`kind.${feature.kind}`);
    const hollow = catalogue.isHollow(feature);
    const { x, y } = app.spread.get(index ? `${feature.id} ${index}` : feature.id);
    const mark = symbol(catalogue.symbolOf(feature, state.get()), hollow);
    mark.setAttribute("transform", `translate(${x} ${y})`);
    return svg(
      "g",
      {
        class: "point",
        tabindex: index ? -1 : 0,
        role: "button",
        "aria-label": t(hollow ? "map.figure_schematic" : "map.figure", { name: feature.name, kind }),
        dataset: { id: feature.id },
      },
      (x || y) && svg("path", { class: "leader", d: `M0 0L${x} ${y}` }),
      (x || y) && svg("circle", { class: "origin", r: 2 }),
      svg("circle", { class: "reach", cx: x, cy: y, r: 16 }),
      svg("circle", { class: "ring", cx: x, cy: y, r: 15 }),
      mark,
    );
  }

  function restyle() {
    const now = state.get();
    for (const { node } of overlay.parts) {
      const feature = catalogue.features.get(node.dataset.id);
      const selected = feature.id === now.zone;
      const faded = !selected && (!catalogue.matches(feature, now) || Boolean(catalogue.focusOf(now)));
      node.classList.toggle("is-selected", selected);
      node.classList.toggle("is-faded", faded);
      node.setAttribute("aria-pressed", String(selected));
    }
  }

  map.on("zoomend viewreset", draw);
  const looks = ({ theme, industry, cluster }) => `${theme} ${industry} ${cluster}`;
  state.subscribe((now, before) => (looks(now) === looks(before) ? restyle() : draw()));
  draw();
}

/** Return each point's offset in pixels: none where it stands alone, on a ring where several meet. */
function spread(points, map) {
  const groups = [];
  for (const { id, at } of points) {
    const place = map.latLngToLayerPoint(at);
    const home = groups.find((group) => group.place.distanceTo(place) < NEAR_PX);
    if (home) home.ids.push([id, place]);
    else groups.push({ place, ids: [[id, place]] });
  }
  const offsets = new Map();
  for (const { place, ids } of groups) {
    const radius = ids.length < 2 ? 0 : Math.max(STEP_PX / 2, (ids.length * STEP_PX) / (2 * Math.PI));
    ids.forEach(([id, own], index) => {
      const angle = (2 * Math.PI * index) / ids.length - Math.PI / 2;
      const round = (value) => Math.round(value * 10) / 10;
      const [dx, dy] = radius ? [place.x - own.x, place.y - own.y] : [0, 0];
      const [x, y] = [dx + radius * Math.cos(angle), dy + radius * Math.sin(angle)].map(round);
      offsets.set(id, { x, y, place: own });
    });
  }
  return offsets;
}
