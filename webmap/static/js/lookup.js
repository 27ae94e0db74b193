/** The look-up page's map: click to ask, see the point or the polygon that was asked about. */

import { bindBasket } from "./basket.js";
import { bindCopying, byId, calm, el, finish, fittable, showCurrent } from "./dom.js";
import { createGround } from "./ground.js";
import { createSearch } from "./search.js";
import { Shapes } from "./shapes.js";
import { at, fetchJson, served } from "./site.js";

const OUTLINED = ["zone-lines"];
const CLOSE = 11.5; // a point with what lies around it
const NAMES_ZOOM = 10; // from here on the zones are named, too

// All there once the page has made its map.
let map, shapes, pane, asked;

/** Fit the map to what was asked, or to the city; a point outside is shown with the city. */
function fit() {
  const found = drawAsked();
  const city = L.latLngBounds(shapes.city.flat(2));
  const inside = byId("lookup-answer").dataset.where === "city";
  const point = found && byId("lookup-answer").dataset.point;
  const bounds = !found || (point && !inside) ? city.extend(found ?? city) : found;
  map.fitBounds(bounds, { padding: [24, 24], maxZoom: point ? CLOSE : map.getMaxZoom(), animate: false });
}

function drawLabels() {
  for (const { name, at, layer } of JSON.parse(pane.dataset.labels ?? "[]")) {
    const label = el("span", { text: name });
    L.tooltip({ permanent: true, direction: "center", className: `name name-${layer}`, interactive: false })
      .setLatLng(at)
      .setContent(label)
      .addTo(map);
  }
}

/** Show what the answer on the page is about, and return its bounds. */
function drawAsked() {
  asked.clearLayers();
  const { point, outline, hits, accuracy } = byId("lookup-answer").dataset;
  if (point) {
    const at = JSON.parse(point);
    drawHits(JSON.parse(hits ?? "[]"));
    if (accuracy) {
      const reach = { radius: Number(accuracy), className: "asked asked-accuracy", interactive: false };
      L.circle(at, reach).addTo(asked);
    }
    for (const [radius, name] of [
      [6, "ring"],
      [2.5, "dot"],
    ]) {
      L.circleMarker(at, { radius, className: `asked asked-${name}`, interactive: false }).addTo(asked);
    }
    return L.latLngBounds([at]);
  }
  if (!outline) return null;
  const drawn = L.polygon(JSON.parse(outline), { className: "asked asked-area", interactive: false }).addTo(asked);
  return drawn.getBounds();
}

/** Light up the likeliest place, and the runner-up. */
function drawHits(hits) {
  for (const { id, rank } of hits) {
    if (!shapes.has(id)) continue;
    const className = `asked hit ${rank ? "hit-second" : "hit-first"}`;
    L.polygon(shapes.polygon(id), { pane: "area", className, interactive: false, ...shapes.drawing }).addTo(asked);
  }
}

/** Ask about a point: the page that the server would send, with only its answer changed here. */
async function ask({ lat, lng }) {
  const url = new URL(at("/lookup"), window.location.href);
  url.search = new URLSearchParams({
    lon: lng.toFixed(6),
    lat: lat.toFixed(6),
    lang: document.documentElement.lang,
  });
  if (!served) return window.location.assign(`?${new URLSearchParams({ lon: lng.toFixed(6), lat: lat.toFixed(6) })}`);
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  const sent = new DOMParser().parseFromString(await response.text(), "text/html");
  byId("lookup-answer").replaceWith(document.adoptNode(sent.getElementById("lookup-answer")));
  for (const id of ["at", "crs"]) byId(id).value = sent.getElementById(id).value;
  window.history.pushState(null, "", url);
  drawAsked();
  byId("lookup-answer").focus({ preventScroll: true });
}

async function start() {
  map = window.planMap;
  const container = map.getContainer();
  pane = container.closest(".pointer");
  asked = L.layerGroup().addTo(map);
  const { overview, detail } = map.planSources;
  shapes = new Shapes(await fetchJson(overview));
  await fittable(map);
  finish(createGround({ map, shapes }));
  const lines = L.layerGroup().addTo(map);
  const outline = () => {
    lines.clearLayers();
    for (const name of OUTLINED) {
      const options = { pane: "area", className: "ground-context", interactive: false, fill: false };
      L.polyline(shapes.lines(name), { ...options, ...shapes.drawing }).addTo(lines);
    }
  };
  shapes.onChange(() => {
    outline();
    drawAsked();
  });
  outline();
  fit();
  document.addEventListener("answered", fit); // here, where no service is asked
  drawLabels();
  const grade = () => pane.classList.toggle("close", map.getZoom() >= NAMES_ZOOM);
  map.on("zoomend", grade);
  grade();
  shapes.refineOn(map, detail);
  map.on("click", ({ latlng }) => ask(latlng));
  container.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== container) return;
    event.preventDefault();
    ask(map.getCenter());
  });
  window.addEventListener("popstate", () => window.location.reload());
  if (calm.matches) Object.assign(map.options, { zoomAnimation: false, fadeAnimation: false, inertia: false });
  L.control.zoom({ position: "topright" }).addTo(map);
  pane.classList.add("ready");
}

bindCopying();
bindBasket();
showCurrent();
createSearch();
document.addEventListener("DOMContentLoaded", start);
