/** The ground: neighbouring land, the city's land, coast, borders and the faint mesh of towns. */

const TOWN_ZOOM = 11;

export function createGround({ map, shapes }) {
  const group = L.layerGroup().addTo(map);
  const renderers = Object.fromEntries(["land", "county"].map((pane) => [pane, L.svg({ pane, padding: 0.5 })]));
  const options = (pane, className) => ({
    pane,
    className: `ground-${className}`,
    renderer: renderers[pane],
    interactive: false,
    smoothFactor: 0.4,
  });
  const fill = (polygons, className) => L.polygon(polygons, options("land", className)).addTo(group);
  const line = (lines, pane, className) => L.polyline(lines, { ...options(pane, className), fill: false }).addTo(group);

  function draw() {
    group.clearLayers();
    fill(shapes.land, "neighbour");
    fill(shapes.city, "city");
    line(shapes.coast, "land", "coast");
    line(shapes.towns, "county", "town");
    line(shapes.countyLines, "county", "county");
    line(shapes.border, "county", "border");
  }

  const grade = () => map.getContainer().classList.toggle("near", map.getZoom() >= TOWN_ZOOM);
  map.on("zoomend", grade);
  grade();
  shapes.onChange(draw);
  draw();
}
