/** On paper the map is as wide as the page: say by how much it must shrink. */

const PAGE_PX = 1000; // A4 landscape between 12 mm margins at 96 dots per inch

export function createPrinting({ map }) {
  window.addEventListener("beforeprint", () => {
    const { x, y } = map.getSize();
    const root = document.documentElement.style;
    const scale = Math.min(1, PAGE_PX / x, (PAGE_PX * 0.55) / y);
    root.setProperty("--print-scale", scale);
    root.setProperty("--print-width", `${x}px`);
    root.setProperty("--print-height", `${y}px`);
    root.setProperty("--print-room", `${y * scale}px`);
  });
}
