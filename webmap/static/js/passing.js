/** What a reader takes along from the map: the theme's printed sheet, the view's address, code to embed it. */

import { bindCopying } from "./copying.js";
import { byId } from "./dom.js";
import { at, own, served } from "./served.js";

const FRAME = { width: 800, height: 560, loading: "lazy" };

export function createPassing({ map, state }) {
  const shares = [...document.querySelectorAll(".share")]; // beside the list, and under what is selected
  const sheet = byId("print-sheet");
  const whole = document.querySelector(".embed-bar a"); // from an embedded map to the same view, whole

  function updateSheet() {
    if (!sheet) return; // there are files, and none of paper among them
    const query = served ? new URL(sheet.href).search : `?lang=${document.documentElement.lang}`;
    sheet.href = at(`/print/${state.get().theme}.pdf${query}`);
  }

  function updateShare(share) {
    if (!share.open) return;
    const here = window.location;
    const path = `${own(here.pathname)}${here.search}${here.hash}`;
    share.querySelector(".share-link").value = here.href;
    if (served) share.querySelector(".share-qr").src = at(`/qr.svg?path=${encodeURIComponent(path)}`);
    const frame = document.createElement("iframe");
    frame.src = new URL(at(`/embed${here.search}${here.hash}`), here);
    for (const [name, value] of Object.entries(FRAME)) frame.setAttribute(name, value);
    share.querySelector(".share-embed").value = frame.outerHTML;
  }

  function update() {
    shares.forEach(updateShare);
    if (whole) whole.href = at(`/${window.location.search}${window.location.hash}`);
  }

  const updateSoon = () => queueMicrotask(update); // once the address is written
  state.subscribe(() => {
    updateSheet();
    updateSoon();
  });
  map.on("moveend", updateSoon);
  for (const share of shares) share.addEventListener("toggle", () => updateShare(share));
  updateSheet();
  update(); // the links of a file know nothing of its address
  bindCopying();
}
