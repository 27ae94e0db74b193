/** What a reader takes along from the map: the theme's printed sheet, the view's address, code to embed it. */

import { bindCopying } from "./copying.js";
import { byId } from "./dom.js";

export function createPassing({ map, state }) {
  const share = document.querySelector(".share");
  const sheet = byId("print-sheet");
  if (!share || !sheet) return; // an embedded map has neither

  function updateSheet() {
    const query = new URLSearchParams(new URL(sheet.href).search);
    sheet.href = `/print/${state.get().theme}.pdf${query.size ? `?${query}` : ""}`;
  }

  function updateShare() {
    if (!share.open) return;
    const here = window.location;
    const path = `${here.pathname}${here.search}${here.hash}`;
    share.querySelector(".share-link").value = here.href;
    share.querySelector(".share-qr").src = `/qr.svg?path=${encodeURIComponent(path)}`;
    const frame = document.createElement("iframe");
    frame.src = `${here.origin}/embed${here.search}${here.hash}`;
    for (const [name, value] of Object.entries({ width: 800, height: 560, loading: "lazy" })) frame.setAttribute(name, value);
    share.querySelector(".share-embed").value = frame.outerHTML;
  }

  state.subscribe(() => {
    updateSheet();
    updateShare();
  });
  map.on("moveend", updateShare);
  share.addEventListener("toggle", updateShare);
  updateSheet();
  bindCopying();
}
