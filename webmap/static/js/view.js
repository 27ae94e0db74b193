/** Where the map looks: fitting to a place or the city, scale and coordinates in its corner. */

import { listOf } from "./catalogue.js";
import { byId, calm, narrow } from "./dom.js";
import { t } from "./site.js";

/* Bring things into the part of the map that no panel covers. */

const CLOSEST = 12.5;
const EDGE = 28;
const LEAST = 60; // pixels of the map that things are fitted to, whatever lies over it
const OUTWARDS = 0.75; // zoom levels beyond the whole city

export function createView(app) {
  const { map, state, catalogue, shapes } = app;

  /** Return what the panels cover, as Leaflet's padding options. */
  function padding() {
    const panel = byId("panel");
    const open = !panel.hidden;
    const right = open && !narrow.matches ? coveredBy(panel) : 0;
    const top = byId("map-top").getBoundingClientRect().height;
    const bottom = narrow.matches ? Math.min((open ? panel : byId("browse")).offsetHeight, map.getSize().y * 0.55) : 0;
    const size = map.getSize();
    const [[west, east], [north, south]] = [squeeze(EDGE, right + EDGE, size.x), squeeze(EDGE + top, bottom + EDGE, size.y)];
    return { paddingTopLeft: [west, north], paddingBottomRight: [east, south] };
  }

  /** Return two paddings, less where they leave too little of a length: nothing fits into what is none. */
  function squeeze(before, after, length) {
    const share = Math.min(1, Math.max(0, length - LEAST) / (before + after));
    return [before * share, after * share];
  }

  /** Return how wide a part of the map lies under a panel, in pixels. */
  function coveredBy(panel) {
    const [over, under] = [panel, map.getContainer()].map((one) => one.getBoundingClientRect());
    return Math.max(0, Math.min(over.right, under.right) - Math.max(over.left, under.left));
  }

  function boundsOf(feature) {
    if (!catalogue.isPoint(feature)) return shapes.boundsOf(feature.id);
    const reach = catalogue.isUnbounded(feature) ? 2 : 0; // across the whole halo
    const spots = catalogue.spotsOf(feature).map(([lat, lon, radius]) => L.latLng(lat, lon).toBounds(radius * reach));
    return spots.length ? spots.reduce((all, one) => all.extend(one), L.latLngBounds([])) : null;
  }

  function fit(bounds) {
    const maxZoom = Math.max(CLOSEST, map.getZoom());
    map.fitBounds(bounds, { ...padding(), maxZoom, animate: !calm.matches });
  }

  /** Move only if part of the feature is out of sight or covered, or it is too small to see. */
  function reveal(feature) {
    const bounds = boundsOf(feature);
    if (!bounds) return;
    const { paddingTopLeft, paddingBottomRight } = padding();
    const free = L.bounds(paddingTopLeft, map.getSize().subtract(paddingBottomRight));
    const box = L.bounds([bounds.getNorthWest(), bounds.getSouthEast()].map((at) => map.latLngToContainerPoint(at)));
    const point = catalogue.isPoint(feature);
    const small = !point && Math.max(box.getSize().x, box.getSize().y) < 60;
    if (point) map.panInside(bounds.getCenter(), { ...padding(), animate: !calm.matches });
    else if (small || !free.contains(box)) fit(bounds);
  }

  const [west, south, east, north] = catalogue.payload.bounds;
  const city = L.latLngBounds([south, west], [north, east]);

  /** Show the whole city as large as it fits, where no tiles ask for whole zooms: as the picture that the page begins with. */
  function showAll() {
    const { zoomSnap } = map.options;
    if (zoomSnap < 1) map.options.zoomSnap = 0;
    map.fitBounds(city, { ...padding(), animate: false });
    map.options.zoomSnap = zoomSnap;
  }

  /** Stop zooming out where there is only the frame that the ground is cut at; moves nothing by itself. */
  function limit() {
    map.options.minZoom = 0; // else the limit that was holds what is asked for next
    map.options.minZoom = map.getBoundsZoom(city) - OUTWARDS;
  }

  function showFeature(id) {
    const bounds = boundsOf(catalogue.features.get(id));
    if (bounds) fit(bounds);
    else showAll();
  }

  function showChosen() {
    fit(listOf(state.get().pick).reduce((all, id) => all.extend(shapes.boundsOf(id)), L.latLngBounds([])));
  }

  map.on("resize", limit);
  limit();
  state.subscribe((now, before, origin) => {
    const feature = catalogue.features.get(now.zone);
    // After this frame, when the panel has opened and it is known what it covers.
    if (feature && now.zone !== before.zone && origin !== "history")
      requestAnimationFrame(() => reveal(feature));
    if (now.pick && now.pick !== before.pick && origin !== "history") showChosen();
  });
  const reach = (at) => map.panInside(at, { ...padding(), animate: !calm.matches });

  return { fit, reach, showAll, showChosen, showFeature, flyTo: (at, zoom) => map.setView(at, zoom, { animate: !calm.matches }) };
}

/* The corner of the map: zoom buttons, scale bar, coordinates under the pointer. */

export function createCorner({ map, view }) {
  const scale = L.control.scale({ imperial: false, maxWidth: 110 }).addTo(map);
  byId("scale").append(scale.getContainer());

  const place = byId("coordinates");
  const write = ({ lat, lng }) => {
    place.textContent = t("map.coordinates", { lon: lng.toFixed(4), lat: lat.toFixed(4) });
  };
  map.on("mousemove", (event) => write(event.latlng));
  map.on("mouseout moveend", () => write(map.getCenter()));
  write(map.getCenter());

  const options = { animate: !calm.matches };
  byId("zoom-in").addEventListener("click", () => map.zoomIn(1, options));
  byId("zoom-out").addEventListener("click", () => map.zoomOut(1, options));
  byId("zoom-all").addEventListener("click", () => view.showAll());
  const limit = () => {
    byId("zoom-in").disabled = map.getZoom() >= map.getMaxZoom();
    byId("zoom-out").disabled = map.getZoom() <= map.getMinZoom();
  };
  map.on("zoomend", limit);
  limit();
}
