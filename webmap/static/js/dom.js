/** Build elements, and copy text. Everything from the data is set as text or as an attribute, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** Return an HTML element; `text`, `class`, `dataset` and `on*` functions are understood, null is left out. */
export function el(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Return an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  const shown = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  // A full-width mark at the end of a text is followed by no blank: it is wide by itself.
  node.append(...shown.filter((child, at) => child !== " " || !/[，。：；！？）]$/.test(shown[at - 1])));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Make what a node holds anew; where an element of the map had the focus, the one in its stead has it. */
export function keepFocus(node, make) {
  const { id, count } = node.contains(document.activeElement) ? document.activeElement.dataset : {};
  make();
  const focused = id ? `[data-id="${id}"][tabindex="0"]` : count && `[data-count="${count}"]`;
  if (focused) node.querySelector(focused)?.focus({ preventScroll: true });
}

/** Whether the page is laid out for a narrow window. */
export const narrow = window.matchMedia("(max-width: 720px)");

/** Whether the reader asked for less motion. */
export const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Do at once what else is done step by step, with the browser drawing in between. */
export function finish(steps) {
  while (!steps.next().done);
}

/** How much larger names and symbols of a map are on a large screen, as the style sheet says. */
export const enlargement = () => zoom;
const readZoom = () => Number(getComputedStyle(document.documentElement).getPropertyValue("--zoom")) || 1;
let zoom = readZoom(); // not while the page is made: its styles would be reckoned each time
window.addEventListener("resize", () => (zoom = readZoom()));

/** Wait until a box has a size: in a page that opens out of sight it may have none. */
export function sized(box) {
  return new Promise((resolve) => {
    const look = () => box.clientWidth > 0 && box.clientHeight > 0 && resolve(watch.disconnect());
    const watch = new ResizeObserver(look);
    watch.observe(box);
    look();
  });
}

/** Wait until things can be fitted to a map, which may have been made without a size. */
export async function fittable(map) {
  const made = map.getSize();
  await sized(map.getContainer());
  if (made.x && made.y) return;
  const { maxBounds } = map.options; // Leaflet would pan into them, and still do so while we fit
  map.setMaxBounds(null).invalidateSize({ pan: false });
  map.setView(maxBounds.getCenter(), map.getZoom(), { animate: false }).setMaxBounds(maxBounds);
}

/** Scroll the navigation of a narrow window so that the page that is open is in sight. */
export function showCurrent() {
  const [list, link] = [".nav", ".nav [aria-current]"].map((one) => document.querySelector(one));
  if (link) list.scrollLeft = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
}

/* Buttons that copy the text beside them; they appear only where the browser lets a page copy. */

const SHOWN_MS = 1600;

export function bindCopying() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button.copy")) {
    const field = button.parentElement.querySelector("input, textarea");
    const label = button.textContent;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        button.textContent = field.dataset.copied;
        setTimeout(() => (button.textContent = label), SHOWN_MS);
      } catch {
        field.select(); // the reader can still copy by hand
      }
    });
  }
}
