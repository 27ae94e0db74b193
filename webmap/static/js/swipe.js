/** Two maps under one slider: another theme, or an earlier release, drawn right of it. */

import { Catalogue } from "./catalogue.js";
import { byId, el, finish } from "./dom.js";
import { createFigures } from "./figures.js";
import { createLabels } from "./labels.js";
import { createPoints } from "./points.js";
import { Shapes } from "./shapes.js";
import { fetchJson, lang, served, t } from "./site.js";
import { createState } from "./state.js";

const PANES = ["area", "halo", "edge", "line", "place", "label"];

export function createSwipe(app) {
  const { map, state, catalogue } = app;
  const [choice, slider] = ["swipe", "swipe-at"].map(byId);
  if (!slider) return;
  const sides = new Map(); // what is drawn right of the slider, by the name of its panes
  let shown = null;

  const isTheme = (id) => catalogue.themes.has(id);
  const suffixOf = (id) => (isTheme(id) ? "-right" : `-${id}`);
  const stateOf = (now) => ({ ...now, theme: isTheme(now.swipe) ? now.swipe : now.theme, layers: null, hide: null, swipe: null });

  async function makeSide(id) {
    const suffix = suffixOf(id);
    for (const name of PANES) {
      const pane = map.createPane(name + suffix);
      pane.style.zIndex = getComputedStyle(map.getPane(name)).zIndex;
      pane.style.pointerEvents = getComputedStyle(map.getPane(name)).pointerEvents;
    }
    const side = { ...app, suffix, spread: new Map(), counts: [] };
    if (!isTheme(id)) {
      const [payload, topology] = await Promise.all([`/r/${id}/map/${lang()}.json`, `/r/${id}/map/overview.topojson`].map((one) => fetchJson(one)));
      side.shapes = new Shapes(topology);
      side.catalogue = new Catalogue(payload, side.shapes);
    }
    side.state = createState(side.catalogue.sound(stateOf(state.get())));
    finish(createFigures(side));
    createPoints(side);
    finish(createLabels(side));
    return side;
  }

  async function draw() {
    const { swipe } = state.get();
    choice.value = swipe ?? "";
    byId("swipe-box").hidden = !swipe;
    for (const name of PANES) map.getPane(name).style.clipPath = "";
    shown = null;
    for (const suffix of sides.keys()) hide(suffix, true);
    if (!swipe) return;
    const suffix = suffixOf(swipe);
    if (!sides.has(suffix)) sides.set(suffix, makeSide(swipe));
    try {
      const side = await sides.get(suffix);
      if (state.get().swipe !== swipe) return;
      side.state.set(side.catalogue.sound(stateOf(state.get())));
    } catch {
      sides.delete(suffix); // the release is not there as a whole
      return state.set({ swipe: null }, "history");
    }
    hide(suffix, false);
    shown = suffix;
    const title = (id) => catalogue.themes.get(id).title;
    byId("swipe-left").textContent = title(state.get().theme);
    byId("swipe-right").textContent = isTheme(swipe) ? title(swipe) : t("map.swipe.release", { id: swipe.slice(0, 12) });
    clip();
  }

  const hide = (suffix, hidden) => {
    for (const name of PANES) map.getPane(name + suffix).style.display = hidden ? "none" : "";
  };

  /** Cut both sides at the slider; panes move with the map, so in their own pixels. */
  function clip() {
    if (!shown) return;
    const size = map.getSize();
    const [from, to] = [L.point(0, 0), size].map((one) => map.containerPointToLayerPoint(one));
    const at = from.x + (size.x * slider.value) / 100;
    const box = (left, right) => `polygon(${left}px ${from.y}px, ${right}px ${from.y}px, ${right}px ${to.y}px, ${left}px ${to.y}px)`;
    byId("swipe-box").style.setProperty("--at", `${slider.value}%`);
    for (const name of PANES) {
      map.getPane(name).style.clipPath = box(from.x, at);
      map.getPane(name + shown).style.clipPath = box(at, to.x);
    }
  }

  function fill() {
    const themes = [...catalogue.themes.values()].filter((one) => one.id !== state.get().theme);
    const option = (value, text) => el("option", { value, text });
    const group = (label, rows) => (rows.length ? el("optgroup", { label }, rows) : null);
    const rows = [option("", t("map.swipe.none")), group(t("map.themes"), themes.map((one) => option(one.id, one.title))), group(t("map.swipe.releases"), releases)];
    choice.replaceChildren(...rows.filter(Boolean));
    choice.value = state.get().swipe ?? "";
  }

  let releases = [];
  async function askReleases() {
    if (!served || releases.length) return;
    const { publications } = await fetchJson("/changes.json");
    const others = new Map(publications.map((one) => [one.release, one]).filter(([id, one]) => one.whole && id !== catalogue.payload.release));
    releases = [...others.values()].map((one) => el("option", { value: one.release, text: `${one.when.slice(0, 10)} ${one.release.slice(0, 12)}` }));
    fill();
  }

  const content = (now) => [catalogue.contentOf(now), now.cluster, now.zone, now.swipe].join(" ");
  state.subscribe((now, before) => {
    if (now.theme !== before.theme) fill();
    if (content(now) !== content(before)) draw();
  });
  choice.addEventListener("change", () => state.set({ swipe: choice.value || null }, "key"));
  byId("layers").addEventListener("toggle", askReleases);
  slider.addEventListener("input", clip);
  map.on("move zoomend resize", clip);
  fill();
  draw();
}
