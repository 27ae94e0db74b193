/** The corner of the map: zoom buttons, scale bar, coordinates under the pointer. */

import { byId, calm } from "./dom.js";
import { t } from "./words.js";

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
