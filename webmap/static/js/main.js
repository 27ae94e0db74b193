/** Start the map: load, then wire state, drawing and controls together. */

import { createBackdrop } from "./backdrop.js";
import { bindBasket } from "./basket.js";
import { createFilter, createLayers, createLegend, createList, createThemes } from "./browse.js";
import { Catalogue } from "./catalogue.js";
import { byId } from "./dom.js";
import { createFigures, createOutline } from "./figures.js";
import { createGround, createTiles } from "./ground.js";
import { createLabels } from "./labels.js";
import { createLive } from "./live.js";
import { createPanel, createSheet } from "./panel.js";
import { createPointing } from "./pointing.js";
import { createPoints } from "./points.js";
import { createQuestion } from "./question.js";
import { createSearch, openOnMap } from "./search.js";
import { Shapes } from "./shapes.js";
import { createPassing, createPrinting, createTaking } from "./share.js";
import { fetchJson, setWords, t } from "./site.js";
import { bindAddress, createState, readAddress } from "./state.js";
import { createSwipe } from "./swipe.js";
import { createTools } from "./tools.js";
import { createCorner, createView } from "./view.js";

/* Leaflet then writes transforms in the plane: in space, each pane and each drawing in it would be a layer of its own
   to the browser, all of which it puts together for every frame. The style sheet makes a layer of the map as a whole. */
L.Browser.ie3d = true;

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
  createBackdrop(app);
  createControls(app);
  createNames(app);
  app.panel = createPanel(app);
  createLive(app);
  if (!wanted && state.get().zone) app.view.showFeature(state.get().zone);
  else if (!wanted && state.get().pick) app.view.showChosen();
  bindAddress(app);
  shapes.refineOn(map, detail);
  byId("atlas").classList.add("ready");
}

function createControls(app) {
  for (const create of [createThemes, createLayers, createLegend, createFilter, createList, createQuestion]) create(app);
  if (byId("search")) createSearch((result, query) => openOnMap(app, result, query)); // an embedded map has none
}

/** Draw the ground and the theme: what people came to see, so it comes first. */
function createPicture(app) {
  for (const create of [createGround, createFigures, createOutline, createPoints]) create(app);
}

/** Place the names, which avoid the symbols, and what reacts to the pointer. */
function createNames(app) {
  for (const create of [createLabels, createPointing, createCorner, createPrinting, createPassing, createTaking]) create(app);
  createTools(app);
  createSwipe(app);
  bindBasket();
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
