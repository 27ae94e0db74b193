/** The bar on the map: where the reader is, measuring, drawing an area to ask about, keys. */

import { byId, el, narrow } from "./dom.js";
import { local, own, served, t } from "./site.js";

/* Lengths and areas on the ellipsoid. */

// WGS 84: semi-major axis in metres, first eccentricity.
const AXIS_M = 6378137;
const ECCENTRICITY = 0.0818191908426215;
const STEPS = 24; // into which a side is cut: what is left out is far below what a hand can draw
const RADIANS = Math.PI / 180;

/** Return points along the great circle between two, as [longitude, latitude] in radians, both ends included. */
function along(from, to) {
  const unit = ({ lat, lng }) => {
    const [x, y] = [lng * RADIANS, lat * RADIANS];
    return [Math.cos(y) * Math.cos(x), Math.cos(y) * Math.sin(x), Math.sin(y)];
  };
  const [a, b] = [unit(from), unit(to)];
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const [x, y, z] = a.map((value, axis) => value + ((b[axis] - value) * step) / STEPS); // a chord, seen from the centre
    return [Math.atan2(y, x), Math.atan2(z, Math.hypot(x, y))];
  });
}

const pairs = (points) => points.slice(1).map((point, index) => [points[index], point]);

/** Return the length of a line of `{lat, lng}` in metres: the local metric, summed along its sides. */
function measureLength(points) {
  const steps = pairs(points).flatMap(([from, to]) => pairs(along(from, to)));
  return steps.reduce((sum, [[x, y], [nextX, nextY]]) => {
    const middle = (y + nextY) / 2;
    const squeeze = 1 - (ECCENTRICITY * Math.sin(middle)) ** 2;
    const north = ((AXIS_M * (1 - ECCENTRICITY ** 2)) / squeeze ** 1.5) * (nextY - y);
    const east = (AXIS_M / Math.sqrt(squeeze)) * Math.cos(middle) * (nextX - x);
    return sum + Math.hypot(north, east);
  }, 0);
}

/** Return the area of a ring of `{lat, lng}` in square metres: the strips between its sides and the equator. */
function measureArea(points) {
  const strip = (y) => {
    const sine = Math.sin(y);
    const [e, part] = [ECCENTRICITY, ECCENTRICITY * sine];
    return ((1 - e ** 2) / 2) * (sine / (1 - part ** 2) - Math.log((1 - part) / (1 + part)) / (2 * e)) * AXIS_M ** 2;
  };
  const steps = pairs([...points, points[0]]).flatMap(([from, to]) => pairs(along(from, to)));
  return Math.abs(steps.reduce((sum, [[x, y], [nextX, nextY]]) => sum + (nextX - x) * strip((y + nextY) / 2), 0));
}

/** Return a number with three figures that matter. */
const rounded = (value) => Number(value.toPrecision(value >= 100 ? 4 : 3)).toLocaleString(document.documentElement.lang);

const lengthText = (metres) =>
  metres < 1000 ? t("map.tool.metres", { value: rounded(metres) }) : t("map.tool.km", { value: rounded(metres / 1000) });
const areaText = (area) => t("map.square_km", { value: rounded(area / 1e6) });

/* A line or an area that is drawn by clicks, or with the keyboard at the centre of the map. */

function createSketch(app, { onChange, onEnd }) {
  const { map } = app;
  const container = map.getContainer();
  map.createPane("sketch").style.zIndex = 630;
  const group = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane: "sketch", padding: 0.5 });
  let points = [];

  function draw(pointer = null) {
    group.clearLayers();
    const options = { pane: "sketch", renderer, interactive: false };
    const corners = pointer ? [...points, pointer] : points;
    if (corners.length > 2) L.polygon(corners, { ...options, className: "sketch-area" }).addTo(group);
    L.polyline(corners, { ...options, fill: false, className: "sketch-line" }).addTo(group);
    for (const at of points) L.circleMarker(at, { ...options, radius: 4, className: "sketch-point" }).addTo(group);
  }

  function change(next) {
    points = next;
    draw();
    onChange(points);
  }

  function set(on) {
    app.sketching = on;
    container.classList.toggle("sketching", on);
    map.doubleClickZoom[on ? "disable" : "enable"]();
    change([]);
  }

  const add = (at) => app.sketching && !points.at(-1)?.equals(at) && change([...points, at]); // a double click is one
  map.on("click", ({ latlng }) => add(latlng));
  map.on("dblclick", () => app.sketching && onEnd());
  map.on("mousemove", ({ latlng }) => app.sketching && points.length && !narrow.matches && draw(latlng));
  container.addEventListener("keydown", (event) => {
    if (!app.sketching || event.target !== container) return;
    const act = { Enter: () => add(map.getCenter()), Backspace: () => change(points.slice(0, -1)) }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  return { set, undo: () => change(points.slice(0, -1)), stop: () => draw(), get: () => points };
}

const MENU = ".tool-menu[open]";

/* The bar: one tool at a time says what it finds beneath it. */

export function createTools(app) {
  const { map, view } = app;
  const bar = byId("toolbar");
  if (!bar) return; // an embedded map has none
  const [readout, container] = [byId("readout"), map.getContainer()];
  const button = (name) => bar.querySelector(`[data-tool="${name}"]`);
  const here = L.layerGroup().addTo(map);
  let mode = null;
  const sketch = createSketch(app, { onChange: tell, onEnd: finish });

  const act = (key, onclick, primary = false) =>
    el("button", { type: "button", class: `button${primary ? " main" : ""}`, onclick, text: t(`map.tool.${key}`) });

  function say(...nodes) {
    readout.replaceChildren(el("p", { role: "status" }, ...nodes), el("p", { class: "readout-acts" }, ...acts()));
    readout.hidden = false;
  }

  function acts() {
    const some = sketch.get().length > 0 && mode !== "locate";
    return [
      some ? act("undo", sketch.undo) : null,
      some && mode === "draw" && sketch.get().length > 2 ? act("ask", finish, true) : null,
      act("close", () => choose(null)),
    ];
  }

  function tell(points) {
    if (mode !== "measure" && mode !== "draw") return;
    if (points.length < 2) return say(t(`map.tool.${mode}_hint`));
    const parts = [t("map.tool.length", { value: lengthText(measureLength(points)) })];
    if (points.length > 2) parts.push(t("map.tool.area", { value: areaText(measureArea(points)) }));
    say(parts.join(" · "));
  }

  function choose(name) {
    mode = name;
    for (const one of bar.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one.dataset.tool === name));
    here.clearLayers();
    readout.hidden = true;
    sketch.set(name === "measure" || name === "draw");
    if (app.sketching) container.focus({ preventScroll: true });
    if (name === "locate") locate();
  }

  /** Ask what lies in the area; a measured line only stops growing. */
  async function finish() {
    const ring = [...sketch.get(), sketch.get()[0]].map(({ lat, lng }) => [lng, lat].map((value) => Number(value.toFixed(6))));
    if (mode !== "draw" || ring.length < 4) return sketch.stop();
    const polygon = JSON.stringify({ type: "Polygon", coordinates: [ring] });
    const answer = await fetch(local("/lookup"), {
      method: "POST",
      headers: { "Content-Type": "application/geo+json", Accept: "application/json" },
      body: polygon,
    });
    const found = await answer.json();
    if (!answer.ok) return say(found.detail ?? found.title);
    const whole = el("form", { action: local("/lookup"), method: "post" }, el("input", { type: "hidden", name: "polygon", value: polygon }));
    whole.append(el("button", { class: "button main", text: t("map.tool.whole_answer") }));
    app.panel.show(t("map.tool.drawn"), areaText(found.area_km2 * 1e6), [...found.shares.length ? sharesOf(found) : [el("p", { class: "nothing", text: t("map.tool.nothing_in") })], whole]);
    requestAnimationFrame(() => view.fit(L.latLngBounds(sketch.get()))); // once it is known what the panel covers
    return null;
  }

  function sharesOf({ shares }) {
    const layers = [...new Set(shares.map((one) => one.layer))];
    const format = (value) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
    const percent = (value) => (value < 0.1 ? `< ${format(0.1)} %` : `${format(value)} %`);
    const name = (one) => one.name[document.documentElement.lang];
    const link = (one) => (one.url ? el("a", { href: local(own(one.url)), dataset: { place: one.id }, text: name(one) }) : name(one));
    const row = (one) => el("li", {}, el("span", {}, link(one)), el("span", { class: "figure", text: percent(one.share_percent) }));
    return layers.map((layer) => {
      const rows = shares.filter((one) => one.layer === layer).map(row);
      return el("section", {}, el("h3", { text: t(`layer.${layer}`) }), el("ul", { class: "claims" }, rows));
    });
  }

  /** Ask the browser where it is: the position stays on the device. */
  function locate() {
    say(t("map.tool.locating"));
    map.locate({ enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 });
  }

  const textOf = ({ lat, lng }) => [lat.toFixed(5), lng.toFixed(5)];

  /** Return the link to what applies at a point. */
  function linkTo(latlng) {
    const [lat, lon] = textOf(latlng);
    return el("a", { href: local(`/lookup?lon=${lon}&lat=${lat}`), text: t("map.tool.what_here") });
  }

  const markAt = (latlng) => L.circleMarker(latlng, { pane: "sketch", radius: 6, className: "sketch-here", interactive: false }).addTo(here);

  // A long press, or the other button of the mouse, asks about a point; not every browser tells of the press itself.
  map.tapHold.enable();
  map.on("contextmenu", ({ latlng }) => {
    if (app.sketching) return;
    choose("point");
    markAt(latlng);
    const [lat, lon] = textOf(latlng);
    say(t("map.coordinates", { lat, lon }), " ", linkTo(latlng));
  });
  map.on("locationfound", ({ latlng, accuracy }) => {
    if (mode !== "locate") return;
    L.circle(latlng, { pane: "sketch", radius: accuracy, className: "sketch-area", interactive: false }).addTo(here);
    markAt(latlng);
    const inside = L.latLngBounds(map.options.maxBounds).contains(latlng);
    if (inside) view.flyTo(latlng, Math.max(map.getZoom(), 11));
    const [lat, lon] = textOf(latlng);
    say(t(inside ? "map.tool.here" : "map.tool.far", { lat, lon, metres: rounded(accuracy) }), " ", ...(inside ? [linkTo(latlng)] : []));
  });
  map.on("locationerror", ({ code }) => mode === "locate" && say(t(code === 1 ? "map.tool.refused" : "map.tool.no_position")));

  bar.addEventListener("click", ({ target }) => {
    const name = target.closest("[data-tool]")?.dataset.tool;
    if (name) choose(mode === name ? null : name);
    if (target.closest("#print-view")) window.print();
    if (target.closest("#open-layers")) openLayers(app);
  });
  if (!served) button("draw").hidden = true;
  bindKeys(bar, () => mode && choose(null));
}

function openLayers({ sheet }) {
  const box = byId("layers");
  box.open = true;
  if (narrow.matches) {
    if (!byId("panel").hidden) byId("panel-close").click(); // the one sheet lies where the other does
    sheet.set("mid");
  }
  box.querySelector("summary").focus();
  box.scrollIntoView({ block: "nearest" });
}

/** `?` shows the keys, `/` goes to the search box, Escape puts a tool away before it closes the panel. */
function bindKeys(bar, stop) {
  const help = byId("help");
  byId("open-help").addEventListener("click", () => help.showModal());
  help.querySelector("button").addEventListener("click", () => help.close());
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const open = bar.querySelector(MENU);
      if (event.key === "Escape" && !help.open && (open || stop())) {
        event.preventDefault();
        open?.removeAttribute("open");
        open?.querySelector("summary").focus();
      }
      if (event.target.closest?.("input, select, textarea, dialog")) return;
      if (event.key === "?") help.showModal();
      if (event.key === "/") {
        event.preventDefault();
        byId("search").focus();
      }
    },
    true,
  );
  document.addEventListener("click", ({ target }) => {
    for (const open of bar.querySelectorAll(MENU)) if (!open.contains(target)) open.removeAttribute("open");
  });
}
