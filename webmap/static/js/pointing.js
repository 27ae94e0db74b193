/** Point at things: hover and focus light up the map and the list together; a click selects. */

import { byId } from "./dom.js";
import { createChooser } from "./chooser.js";
import { t } from "./words.js";

export function createPointing(app) {
  const { map, state, catalogue } = app;
  const chooser = createChooser(app);
  const container = map.getContainer();
  const idOf = (node) => node.closest?.("[data-id]")?.dataset.id ?? null;

  for (const [area, events] of [
    [container, ["mouseover", "focusin"]],
    [byId("list-items"), ["mouseover", "focusin"]],
  ]) {
    for (const name of events) area.addEventListener(name, (event) => highlight(idOf(event.target)));
    area.addEventListener("mouseleave", () => highlight(null));
    area.addEventListener("focusout", () => highlight(null));
  }

  map.on("click", (event) => {
    const ids = idsUnder(event.originalEvent, container);
    state.set({ zone: ids[0] ?? null }, "map");
    chooser.offer(ids, event.containerPoint);
  });
  container.addEventListener("keydown", (event) => {
    const id = idOf(event.target);
    if (!id || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    state.set({ zone: id }, "key");
  });
  showNames(map, catalogue);
}

/** Light up everything that stands for a feature. */
export function highlight(id) {
  for (const node of document.querySelectorAll(".is-hovered")) {
    if (node.dataset.id !== id) node.classList.remove("is-hovered");
  }
  if (id)
    for (const node of document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)) node.classList.add("is-hovered");
}

/** Return the ids of all features under a pointer, topmost first. */
function idsUnder({ clientX, clientY }, container) {
  const nodes = document.elementsFromPoint(clientX, clientY).filter((node) => container.contains(node));
  return [...new Set(nodes.map((node) => node.closest("[data-id]")?.dataset.id).filter(Boolean))];
}

/** Show the name of what the mouse is over: small polygons carry no label. */
function showNames(map, catalogue) {
  const hint = byId("hint");
  map.on("mousemove", ({ originalEvent, containerPoint }) => {
    const id = originalEvent.target.closest?.("[data-id]")?.dataset.id;
    const feature = catalogue.features.get(id);
    hint.hidden = !feature || originalEvent.buttons > 0;
    if (!feature) return;
    hint.textContent = t("map.figure", { name: feature.name, kind: t(`kind.${feature.kind}`) });
    const flip = containerPoint.x > map.getSize().x - 240;
    hint.style.transform = `translate(${containerPoint.x + (flip ? -12 : 14)}px, ${containerPoint.y + 18}px)${flip ? " translateX(-100%)" : ""}`;
  });
  map.on("mouseout movestart", () => {
    hint.hidden = true;
  });
}
