/** On paper the map stands under its theme's title and beside its legend: say by how much it must shrink. */

import { byId } from "./dom.js";

// What the map may take of A4 landscape between 12 mm margins, at 96 dots per inch.
const WIDTH_PX = 760;
const HEIGHT_PX = 530;

export function createPrinting({ map, state, catalogue }) {
  window.addEventListener("beforeprint", () => {
    const { x, y } = map.getSize();
    const root = document.documentElement.style;
    const scale = Math.min(1, WIDTH_PX / x, HEIGHT_PX / y);
    byId("print-title").textContent = catalogue.themes.get(state.get().theme).title;
    root.setProperty("--print-scale", scale);
    root.setProperty("--print-width", `${x}px`);
    root.setProperty("--print-height", `${y}px`);
  });
}
