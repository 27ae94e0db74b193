/** The symbols of a point theme: hollow where the place is roughly known, spread where they coincide. */

import { byId, svg } from "./dom.js";
import { Overlay } from "./ground.js";
import { t } from "./site.js";
import { fadingFill, symbol } from "./symbols.js";

const NEAR_PX = 15;
const STEP_PX = 25;
export const COUNT_BOX = { x: -15, y: 14, width: 30, height: 18 }; // pixels from the place that it counts for

export function createPoints(app) {
  const { map, state, catalogue } = app;
  const suffix = app.suffix ?? "";
  const overlay = new Overlay(map, `place${suffix}`, "points");
  const halos = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane: `halo${suffix}`, padding: 0.5 });

  function draw() {
    const spots = catalogue
      .shownIn(state.get())
      .filter((one) => catalogue.isPoint(one) && (one.point || catalogue.isUnbounded(one)))
      .flatMap((one) => catalogue.spotsOf(one).map(([lat, lon, radius], index) => ({ one, index, at: [lat, lon], radius })));
    app.spread = spread(
      spots.map(({ one, index, at }) => ({ id: index ? `${one.id} ${index}` : one.id, at })),
      map,
    );
    const badges = counts();
    app.counts = badges.map(({ at }) => at);
    overlay.show([...badges, ...spots.map((spot) => ({ at: spot.at, node: build(spot) }))]);
    halos.clearLayers();
    for (const { one, at, radius } of spots) {
      if (!catalogue.isUnbounded(one)) continue;
      const options = { pane: `halo${suffix}`, renderer, radius, className: "halo", interactive: false };
      const path = L.circle(at, options).addTo(halos).getElement();
      path.style.fill = fadingFill(catalogue.lookOf(one, state.get()).hue);
    }
    restyle();
  }

  function build({ one: feature, index }) {
    const now = state.get();
    const hit = catalogue.isFiltered(now) && catalogue.matches(feature, now);
    const entry = catalogue.symbolOf(feature, now);
    const kind = t(`kind.${feature.kind}`);
    const hollow = catalogue.isHollow(feature);
    const { x, y } = app.spread.get(index ? `${feature.id} ${index}` : feature.id);
    const mark = symbol(hit ? { ...entry, colour: catalogue.strongOf(now) } : entry, hollow);
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

  /** How many have no place of their own, on the zone that they are of; those of no zone are in the bar. */
  function counts() {
    const groups = new Map();
    for (const one of catalogue.shownIn(state.get()))
      if (!catalogue.isArea(one) && !one.point && catalogue.matches(one, state.get()))
        groups.set(one.parent, [...(groups.get(one.parent) ?? []), one.id]);
    if (!app.suffix) tellCitywide(groups.get(null) ?? []);
    groups.delete(null);
    return [...groups].map(([id, ids]) => ({ at: catalogue.anchorOf(catalogue.features.get(id)), node: count(id, ids) }));
  }

  function count(id, ids) {
    const title = t("map.unplaced_in", { name: catalogue.features.get(id).name, count: ids.length });
    const attributes = { class: "count-badge", tabindex: 0, role: "button", "aria-label": title, dataset: { count: id } };
    const open = () => app.offer(ids, title);
    const onkeydown = (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), event.stopPropagation(), open());
    const box = svg("rect", { ...COUNT_BOX, rx: 9 });
    const reach = svg("circle", { class: "reach", cy: 23, r: 22 });
    const node = svg("g", { ...attributes, onkeydown }, reach, box, svg("text", { y: 27, text: `+${ids.length}` }));
    L.DomEvent.on(node, "click", (event) => (L.DomEvent.stop(event), open()));
    return node;
  }

  function tellCitywide(ids) {
    const button = byId("citywide");
    button.hidden = !ids.length;
    button.textContent = t("map.citywide", { count: ids.length });
    button.onclick = () => app.offer(ids, button.textContent);
  }

  function restyle() {
    const now = state.get();
    for (const { node } of overlay.parts) {
      if (!node.dataset.id) continue;
      const feature = catalogue.features.get(node.dataset.id);
      const selected = feature.id === now.zone;
      const faded = !selected && (!catalogue.matches(feature, now) || Boolean(catalogue.focusOf(now)));
      node.style.setProperty("--opacity", catalogue.opacityOf(feature, now));
      node.classList.toggle("is-selected", selected);
      node.classList.toggle("is-faded", faded);
      node.setAttribute("aria-pressed", String(selected));
    }
  }

  map.on("zoomend viewreset", draw);
  const looks = (now) => `${catalogue.contentOf(now)} ${now.cluster}`;
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
