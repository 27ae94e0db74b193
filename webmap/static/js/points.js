/** The symbols of a point theme: hollow where the place is roughly known, spread where they coincide. */

import { byId, enlargement, svg } from "./dom.js";
import { Overlay } from "./ground.js";
import { t } from "./site.js";
import { fadingFill, symbol } from "./symbols.js";

const APART_PX = 20; // as wide as symbols are
const TURNS = Array.from({ length: 12 }, (_, index) => (index * Math.PI) / 6);
const STEPS = [[0, 0]]; // pixels that a symbol may stand off its place, nearest first
for (let far = 4; far <= 60; far += 4) STEPS.push(...TURNS.map((turn) => [far * Math.sin(turn), -far * Math.cos(turn)]));
export const COUNT = { width: 30, height: 18 };
const COUNT_STEPS = [[0, 23], ...STEPS];

export function createPoints(app) {
  const { map, state, catalogue } = app;
  const suffix = app.suffix ?? "";
  const overlay = new Overlay(map, `place${suffix}`, "points");
  const halos = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane: `halo${suffix}`, padding: 0.5 });
  let large = 1; // how much larger symbols are on a large screen

  function draw() {
    const spots = catalogue
      .shownIn(state.get())
      .filter((one) => catalogue.isPoint(one) && (one.point || catalogue.isUnbounded(one)))
      .flatMap((one) => catalogue.spotsOf(one).map(([lat, lon, radius], index) => ({ one, index, at: [lat, lon], radius })));
    large = enlargement();
    app.spread = spread(
      spots.map(({ one, index, at }) => ({ id: index ? `${one.id} ${index}` : one.id, at })),
      map,
      large,
    );
    const badges = counts();
    app.counts = badges.map(({ box }) => box);
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
      svg(
        "g",
        { transform: `translate(${x} ${y}) scale(${large})` },
        svg("circle", { class: "reach", r: 16 }),
        svg("circle", { class: "ring", r: 15 }),
        mark,
      ),
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
    return [...groups].map(([id, ids]) => {
      const at = catalogue.anchorOf(catalogue.features.get(id));
      const { x, y } = map.latLngToLayerPoint(at);
      const [dx, dy] = (COUNT_STEPS.find(([dx, dy]) => isFree(x + dx * large, y + dy * large)) ?? COUNT_STEPS[0]).map((side) => side * large);
      return { at, box: L.point(x + dx, y + dy), node: count(id, ids, `translate(${dx} ${dy}) scale(${large})`) };
    });
  }

  /** Whether a count there covers no symbol. */
  function isFree(x, y) {
    const [width, height] = [COUNT.width / 2 + 10, COUNT.height / 2 + 10].map((one) => one * large);
    return [...app.spread.values()].every((one) => Math.abs(one.place.x + one.x - x) >= width || Math.abs(one.place.y + one.y - y) >= height);
  }

  function count(id, ids, transform) {
    const title = t("map.unplaced_in", { name: catalogue.features.get(id).name, count: ids.length });
    const attributes = { class: "count-badge", tabindex: 0, role: "button", "aria-label": title, dataset: { count: id } };
    const open = () => app.offer(ids, title);
    const onkeydown = (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), event.stopPropagation(), open());
    const box = svg("rect", { x: -COUNT.width / 2, y: -COUNT.height / 2, ...COUNT, rx: 9 });
    const reach = svg("circle", { class: "reach", r: 22 });
    const badge = svg("g", { transform }, reach, box, svg("text", { y: 4, text: `+${ids.length}` }));
    const node = svg("g", { ...attributes, onkeydown }, badge);
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

/** Return each point's offset in pixels: none where its symbol has room, else to the nearest place where it covers no other. */
function spread(points, map, large) {
  const taken = [];
  const offsets = new Map();
  for (const { id, at } of points) {
    const place = map.latLngToLayerPoint(at);
    const isFree = ([x, y]) => taken.every((one) => one.distanceTo(place.add([x * large, y * large])) >= APART_PX * large);
    const [x, y] = (STEPS.find(isFree) ?? STEPS[0]).map((side) => Math.round(side * large * 10) / 10);
    taken.push(place.add([x, y]));
    offsets.set(id, { x, y, place });
  }
  return offsets;
}
