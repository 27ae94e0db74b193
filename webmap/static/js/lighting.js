/** The text beside a small map and the map's places light each other up, by pointer and by focus. */

/** Light the places named by any element with `data-places`, and the rows that name a lit place. */
export function bindLighting() {
  const spots = new Map();
  for (const spot of document.querySelectorAll(".sketch .spot")) spots.set(spot.dataset.place, spot);
  if (!spots.size) return;
  const rows = [...document.querySelectorAll("[data-places]")].filter((row) => row.dataset.places);
  const labels = [...document.querySelectorAll("[data-label]")]; // one for each size of the map

  const light = (places, on) => {
    for (const place of places) {
      spots.get(place)?.classList.toggle("lit", on);
      for (const label of labels) if (label.dataset.label === place) label.classList.toggle("lit", on);
    }
    document.querySelector(".sketch").classList.toggle("lighting", on && places.some((place) => spots.has(place)));
  };
  const follow = (node, change) => {
    node.addEventListener("pointerenter", () => change(true));
    node.addEventListener("pointerleave", () => change(false));
    node.addEventListener("focusin", () => change(true));
    node.addEventListener("focusout", () => change(false));
  };
  for (const row of rows) follow(row, (on) => light(row.dataset.places.split(" "), on));
  for (const [place, spot] of spots) {
    const naming = rows.filter((row) => row.dataset.places.split(" ").includes(place));
    follow(spot, (on) => {
      for (const row of naming) row.classList.toggle("lit", on);
      light([place], on);
    });
  }
}
