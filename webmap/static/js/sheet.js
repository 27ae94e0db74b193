/** The bottom sheet of narrow windows: three heights, by drag, by button, by key. */

import { byId, narrow } from "./dom.js";

const HEIGHTS = ["low", "mid", "high"];

/** Make `element` a sheet and return `{set, height}`; its bar holds the two buttons. */
export function createSheet(element, onChange = () => {}) {
  const bar = element.querySelector(".sheet-bar");
  const [raise, lower] = ["raise", "lower"].map((name) => bar.querySelector(`.${name}`));
  let drag = null;

  const level = () => HEIGHTS.indexOf(element.dataset.height);

  function set(name) {
    element.dataset.height = name;
    raise.disabled = name === "high";
    lower.disabled = name === "low";
    onChange(name);
  }

  const step = (by) => set(HEIGHTS[Math.min(2, Math.max(0, level() + by))]);

  raise.addEventListener("click", () => step(1));
  lower.addEventListener("click", () => step(-1));
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by || !narrow.matches) return;
    event.preventDefault();
    step(by);
  });
  bar.addEventListener("pointerdown", (event) => {
    if (!narrow.matches || event.target.closest("button")) return;
    drag = { from: event.clientY, height: element.offsetHeight };
    bar.setPointerCapture(event.pointerId);
    element.classList.add("dragging");
  });
  bar.addEventListener("pointermove", (event) => {
    if (drag) element.style.height = `${Math.max(48, drag.height + drag.from - event.clientY)}px`;
  });
  for (const name of ["pointerup", "pointercancel"]) bar.addEventListener(name, (event) => drag && drop(event));

  function drop(event) {
    const moved = drag.from - event.clientY;
    const height = drag.height + moved;
    drag = null;
    element.classList.remove("dragging");
    element.style.height = "";
    if (Math.abs(moved) < 6) set(level() === 2 ? "low" : HEIGHTS[level() + 1]);
    else set(nearest(height));
  }

  /** Return the level whose height is nearest, as the style sheet sets them. */
  function nearest(height) {
    const room = byId("atlas").clientHeight;
    const sizes = [56, room * 0.48, room - 52];
    return HEIGHTS[
      sizes.reduce((best, size, index) => (Math.abs(size - height) < Math.abs(sizes[best] - height) ? index : best), 0)
    ];
  }

  set(element.dataset.height || "low");
  return { set, height: () => (narrow.matches && !element.hidden ? element.offsetHeight : 0) };
}
