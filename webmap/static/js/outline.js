/** The edge of the selected polygon: dark on a white halo, above everything else. */

export function createOutline({ map, state, catalogue, shapes }) {
  const group = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane: "line", padding: 0.5 });

  function draw() {
    group.clearLayers();
    const feature = catalogue.features.get(state.get().zone);
    if (!feature || !shapes.has(feature.id)) return;
    for (const part of ["halo", "edge"]) {
      const className = `outline-${part} method-${feature.edge}`;
      const options = { pane: "line", renderer, className, interactive: false, fill: false, ...shapes.drawing };
      L.polygon(shapes.polygon(feature.id), options).addTo(group);
    }
  }

  state.subscribe((now, before) => now.zone !== before.zone && draw());
  shapes.onChange(draw);
  draw();
}
