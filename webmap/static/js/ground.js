/** The ground: neighbouring land, the city's land, coast, borders and the faint mesh of towns. */

const TOWN_ZOOM = 11;

export function createGround({ map, shapes }) {
  const group = L.layerGroup().addTo(map);
  const renderer = L.svg({ pane: "land", padding: 0.5 });
  const options = (className) => ({
    pane: "land",
    className: `ground-${className}`,
    renderer,
    interactive: false,
    ...shapes.drawing,
  });
  const fill = (polygons, className) => L.polygon(polygons, options(className)).addTo(group);
  const line = (name, className) =>
    L.polyline(shapes.lines(name), { ...options(className), fill: false }).addTo(group);

  function draw() {
    group.clearLayers();
    fill(shapes.land, "neighbour");
    fill(shapes.city, "city");
    line("coast", "coast");
    line("towns", "town");
    line("county-lines", "county");
    line("border", "border");
  }

  const grade = () => map.getContainer().classList.toggle("near", map.getZoom() >= TOWN_ZOOM);
  map.on("zoomend", grade);
  grade();
  shapes.onChange(draw);
  draw();
}
