/** Start the map: load, then wire state, drawing and controls together. */

import { bindAddress, readAddress } from "./address.js";
import { Catalogue } from "./catalogue.js";
import { createCorner } from "./corner.js";
import { fetchJson } from "./data.js";
import { byId } from "./dom.js";
import { createFigures } from "./figures.js";
import { createFilter } from "./filter.js";
import { createGround } from "./ground.js";
import { createLabels } from "./labels.js";
import { createLegend } from "./legend.js";
import { createList } from "./list.js";
import { createLive } from "./live.js";
import { openOnMap } from "./opening.js";
import { createOutline } from "./outline.js";
import { createPanel } from "./panel.js";
import { createPassing } from "./passing.js";
import { createPoints } from "./points.js";
import { createPointing } from "./pointing.js";
import { createPrinting } from "./printing.js";
import { createSearch } from "./search.js";
import { Shapes } from "./shapes.js";
import { createSheet } from "./sheet.js";
import { createState } from "./state.js";
import { createTaking } from "./taking.js";
import { createThemes } from "./themes.js";
import { createTiles } from "./tiles.js";
import { createView } from "./view.js";
import { setWords, t } from "./words.js";

async function start() {
  const map = window.planMap;
  const { map: payloadUrl, overview, detail } = map.planSources;
  const [payload, topology] = await Promise.all([fetchJson(payloadUrl), fetchJson(overview)]);
  setWords(payload.strings, payload.lang);
  const shapes = new Shapes(topology);
  const catalogue = new Catalogue(payload, shapes);
  const { view: wanted, ...asked } = readAddress();
  const state = createState(catalogue.sound(asked));
  const app = { map, payload, shapes, catalogue, state, spread: new Map() };

  nameMap(map);
  app.view = createView(app);
  createSheet(byId("browse"));
  createTiles(app);
  if (wanted) map.setView([wanted.lat, wanted.lon], wanted.zoom, { animate: false });
  else app.view.showAll();
  createPicture(app);
  await painted();
  createControls(app);
  createNames(app);
  createPanel(app);
  createLive(app);
  if (!wanted && state.get().zone) app.view.showFeature(state.get().zone);
  bindAddress(app);
  shapes.refineOn(map, detail);
  byId("atlas").classList.add("ready");
}

function createControls(app) {
  for (const create of [createThemes, createLegend, createFilter, createList]) create(app);
  if (byId("search")) createSearch((result) => openOnMap(app, result)); // an embedded map has none
}

/** Draw the ground and the theme: what people came to see, so it comes first. */
function createPicture(app) {
  for (const create of [createGround, createFigures, createOutline, createPoints]) create(app);
}

/** Place the names, which avoid the symbols, and what reacts to the pointer. */
function createNames(app) {
  for (const create of [createLabels, createPointing, createCorner, createPrinting, createPassing, createTaking]) create(app);
}

/** Wait until the browser has shown what was drawn; a page in the background shows nothing, so not for long. */
function painted() {
  const shown = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return Promise.race([shown, new Promise((resolve) => setTimeout(resolve, 100))]);
}

function nameMap(map) {
  const container = map.getContainer();
  container.setAttribute("role", "group");
  container.setAttribute("aria-label", t("map.keys"));
  Object.assign(map.options, { wheelPxPerZoomLevel: 100, zoomSnap: 0.25 });
}

start().catch((error) => {
  byId("failure").hidden = false;
  throw error;
});
