/** Start the map: load, then wire state, drawing and controls together. */

import { createBackdrop } from "./backdrop.js";
import { bindBasket } from "./basket.js";
import { createFilter, createLayers, createLegend, createList, createThemes } from "./browse.js";
import { STYLE } from "./cartography.js";
import { Catalogue, listOf, overlaysOf } from "./catalogue.js";
import { byId, el, fittable, showCurrent } from "./dom.js";
import { createFigures, createOutline } from "./figures.js";
import { createGround, createTiles } from "./ground.js";
import { createGuide } from "./guide.js";
import { createLabels } from "./labels.js";
import { createLive } from "./live.js";
import { createPanel, createSheet } from "./panel.js";
import { createPointing } from "./pointing.js";
import { createPoints } from "./points.js";
import { createQuestion } from "./question.js";
import { createSearch, openOnMap } from "./search.js";
import { Shapes } from "./shapes.js";
import { createPassing, createPrinting, createTaking } from "./share.js";
import { fetchJson, lang, later, local, setWords, t } from "./site.js";
import { bindAddress, createState, readAddress } from "./state.js";
import { createSwipe } from "./swipe.js";
import { shade, swatch, symbolIcon } from "./symbols.js";
import { createTools } from "./tools.js";
import { createCorner, createView } from "./view.js";

// What a module uses that is fetched later.
const PAGE = { STYLE, byId, el, fetchJson, lang, listOf, local, overlaysOf, shade, swatch, symbolIcon, t };

/* Leaflet then writes transforms in the plane: in space, each pane and each drawing in it would be a layer of its own
   to the browser, all of which it puts together for every frame. The style sheet makes a layer of the map as a whole. */
L.Browser.ie3d = true;

const AT_ONCE_MS = 30; // what is made within this time is made in one go: a frame between costs as much again

const { map: payloadUrl, overview } = byId("atlas").dataset;
const arriving = [fetchJson(payloadUrl), fetchJson(overview)]; // read while the page is first laid out

async function start() {
  const map = window.planMap;
  showCurrent(); // before much is on the page that would be laid out for it
  const [payload, topology] = await Promise.all(arriving);
  await fittable(map);
  setWords(payload.strings, payload.lang);
  const shapes = new Shapes(topology);
  await rest();
  const catalogue = new Catalogue(payload, shapes);
  const { view: wanted, ...asked } = readAddress();
  const state = createState(catalogue.sound(asked));
  const app = { map, payload, shapes, catalogue, state, spread: new Map(), counts: [], own: { featureOf: () => null, under: () => [] } };

  nameMap(map);
  await rest();
  app.view = createView(app);
  app.sheet = createSheet(byId("browse"));
  createGuide(app, !wanted && Object.values(asked).every((value) => !value)); // first, for the city is fitted beneath it
  createTiles(app);
  if (wanted) map.setView([wanted.lat, wanted.lon], wanted.zoom, { animate: false });
  else app.view.showAll();
  await rest();
  await createEach(app, [createGround, createFigures, createOutline, createPoints]); // what people came to see comes first
  byId("opening")?.remove();
  await painted();
  await createEach(app, [createBackdrop, createThemes, createLayers, createLegend, createFilter, createList, createQuestion]);
  if (byId("search")) createSearch((result, query) => openOnMap(app, result, query)); // an embedded map has none
  if (payload.own.length) (await later("own")).createOwn(app, PAGE);
  await createEach(app, [createCorner, createLabels, createPointing, createPrinting, createPassing, createTaking, createTools, createSwipe]);
  bindBasket();
  app.panel = createPanel(app);
  createLive(app);
  if (!wanted && state.get().zone) app.view.showFeature(state.get().zone);
  else if (!wanted && state.get().pick) app.view.showChosen();
  bindAddress(app);
  shapes.refineOn(map, map.planSources.detail);
  byId("atlas").classList.add("ready");
}

/** Create parts of the page one after the other, some in steps; between two of them the browser answers and draws. */
async function createEach(app, parts) {
  let since = performance.now();
  for (const create of parts) {
    const steps = create(app);
    do {
      if (document.hidden || performance.now() - since < AT_ONCE_MS) continue;
      await rest();
      since = performance.now();
    } while (steps?.next && !steps.next().done);
  }
}

/** Let the browser answer. */
const rest = async () => window.scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));

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

// The page makes its map then too, before this: it said so first.
document.addEventListener("DOMContentLoaded", () =>
  start().catch((error) => {
    byId("failure").hidden = false;
    throw error;
  }),
);
