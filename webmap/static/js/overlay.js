/** A drawing above the map whose parts keep their size and follow their place. */

import { svg } from "./dom.js";

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
    this.root.replaceChildren(...parts.map((part) => part.node));
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
