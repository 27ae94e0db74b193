/** What lies under the figures: sea, land, names of waters, tiles where the operator has any. */

import { byId, finish, keepFocus, svg } from "./dom.js";
import { createRenderer } from "./shapes.js";

/* A drawing above the map whose parts keep their size and follow their place. */

export class Overlay {
  constructor(map, pane, name) {
    this.map = map;
    this.parts = [];
    this.root = svg("svg", { class: `overlay ${name}`, width: 1, height: 1 });
    map.getPane(pane).append(this.root);
    map.on("zoomanim", (event) => this.#place((at) => map._latLngToNewLayerPoint(at, event.zoom, event.center)));
    map.on("viewreset zoomend", () => this.update());
  }

  /** Show exactly these parts, each `{node, at}` with a (lat, lon), drawn in the given order. */
  show(parts) {
    this.parts = parts;
    keepFocus(this.root, () => this.root.replaceChildren(...parts.map((part) => part.node)));
    this.update();
  }

  update() {
    this.#place((at) => this.map.latLngToLayerPoint(at));
  }

  #place(project) {
    for (const { node, at } of this.parts) {
      const { x, y } = project(at);
      node.style.transform = `translate(${x}px, ${y}px)`;
    }
  }
}

/* The ground: neighbouring land, the city's land, coast, borders and the faint mesh of towns. */

const TOWN_ZOOM = 11;

/** Return the steps in which the ground is drawn at first. */
export function createGround({ map, shapes }) {
  const group = L.layerGroup().addTo(map);
  const renderer = createRenderer("land");
  const waters = createRenderer("water"); // over the figures: nobody plans industries for a bay
  const options = (className, pane = "land") => ({
    pane,
    className: `ground-${className}`,
    renderer: pane === "land" ? renderer : waters,
    interactive: false,
    ...shapes.drawing,
  });
  const fill = (polygons, className) => L.polygon(polygons, options(className)).addTo(group);
  const line = (name, className) =>
    L.polyline(shapes.lines(name), { ...options(className), fill: false }).addTo(group);

  function* draw() {
    group.clearLayers();
    fill(shapes.land, "neighbour");
    yield fill(shapes.city, "city");
    yield line("coast", "coast");
    yield line("towns", "town");
    yield line("county-lines", "county");
    yield line("border", "border");
    for (const water of shapes.waters) L.polygon(water, options("water", "water")).addTo(group);
  }

  const grade = () => map.getContainer().classList.toggle("near", map.getZoom() >= TOWN_ZOOM);
  map.on("zoomend", grade);
  grade();
  shapes.onChange(() => finish(draw()));
  return draw();
}

/* The operator's tile basemap, if there is one, shifted where its tiles lie in GCJ-02. */

const TILES_ZOOM = 18; // the closest that tiles are made for

export function createTiles({ map }) {
  const text = byId("atlas").dataset.tiles;
  if (!text) return;
  const { url, subdomains, attribution, gcj02 } = JSON.parse(text);
  const Layer = gcj02 ? shiftedLayer() : L.TileLayer;
  Object.assign(map.options, { zoomSnap: 1, maxZoom: TILES_ZOOM }); // between whole zooms tiles blur
  const layer = new Layer(url, { subdomains, maxZoom: TILES_ZOOM, maxNativeZoom: TILES_ZOOM }).addTo(map);
  if (gcj02) map.on("moveend", () => layer.align());
  byId("tile-credit").textContent = attribution;
  byId("atlas").classList.add("with-tiles");
}

/** A tile layer that shows, at the map's centre, the tile pixels of the shifted centre. */
function shiftedLayer() {
  const base = L.TileLayer.prototype;
  return L.TileLayer.extend({
    _getTiledPixelBounds(center) {
      return base._getTiledPixelBounds.call(this, toGcj(center));
    },
    _setZoomTransform(level, center, zoom) {
      base._setZoomTransform.call(this, level, toGcj(center), zoom);
    },
    align() {
      this._setZoomTransforms(this._map.getCenter(), this._map.getZoom());
    },
  });
}

/** Return where the tiles show a place: for display only, never stored. */
function toGcj({ lat, lng }) {
  const [east, north] = toGcj02([lng, lat]);
  return L.latLng(north, east);
}
