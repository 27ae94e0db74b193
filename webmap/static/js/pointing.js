/** Pointer and keyboard on the figures: hints, selection, and the choice where several lie there. */

import { byId, el } from "./dom.js";
import { t } from "./site.js";
import { badgeIcon, swatch, symbolIcon } from "./symbols.js";

/* Where several features lie under a click, offer them all. */

function createChooser(app) {
  const { map, state, catalogue } = app;
  const box = byId("chooser");

  function offer(ids, title = t("map.choose", { count: ids.length })) {
    close();
    if (ids.length < 2) return;
    box.replaceChildren(
      head(title),
      el(
        "ul",
        {},
        ids.map((id) => el("li", {}, choice(id))),
      ),
    );
    box.hidden = false;
    box.scrollTop = 0;
    if (title && document.activeElement?.matches(".count-badge, #citywide")) box.querySelector("li button").focus();
    mark();
  }

  function head(title) {
    const shut = el(
      "button",
      { type: "button", class: "icon-button", "aria-label": t("map.close"), onclick: close },
      "×",
    );
    return el("div", { class: "chooser-head" }, el("span", { text: title }), shut);
  }

  function choice(id) {
    const feature = catalogue.features.get(id) ?? app.own.featureOf(id);
    if (feature.lead) return entry({ id, icon: feature.icon(), name: feature.name, said: feature.lead, patch: { own: id } });
    const icon = catalogue.isPoint(feature)
      ? symbolIcon(catalogue.symbolOf(feature, state.get()), catalogue.isHollow(feature))
      : swatch(catalogue.lookOf(feature, state.get()), feature.edge);
    const badge = feature.letter && feature.colour ? badgeIcon(feature) : null;
    return entry({ id, icon, badge, name: feature.name, said: t(`kind.${feature.kind}`), patch: { zone: id } });
  }

  function entry({ id, icon, badge = null, name, said, patch }) {
    return el(
      "button",
      { type: "button", dataset: { id }, onclick: () => state.set(patch, "list") },
      icon,
      el("span", {}, badge, el("span", { text: ` ${name}` }), el("span", { class: "muted", text: said })),
    );
  }

  function mark() {
    for (const button of box.querySelectorAll("[data-id]")) {
      button.setAttribute("aria-pressed", String([state.get().zone, state.get().own].includes(button.dataset.id)));
    }
  }

  function close() {
    box.hidden = true;
  }

  map.on("dragstart", close);
  box.addEventListener("keydown", (event) => event.key === "Escape" && (close(), event.stopPropagation()));
  state.subscribe((now, before, origin) => {
    if (now.theme !== before.theme || !(now.zone || now.own) || origin === "search") close();
    else mark();
  });
  return { offer, close };
}

/* Point at things: hover and focus light up the map and the list together; a click selects. */

export function createPointing(app) {
  const { map, state, catalogue } = app;
  const chooser = createChooser(app);
  app.offer = chooser.offer;
  const container = map.getContainer();
  const idOf = (node) => node.closest?.("[data-id]")?.dataset.id ?? null;

  for (const [area, events] of [
    [container, ["mouseover", "focusin"]],
    [byId("list-items"), ["mouseover", "focusin"]],
  ]) {
    for (const name of events) {
      area.addEventListener(name, (event) => highlight(idOf(event.target), event.target.matches(":focus-visible")));
    }
    area.addEventListener("mouseleave", () => highlight(null));
    area.addEventListener("focusout", () => highlight(null));
  }

  map.on("click", (event) => {
    if (app.sketching) return;
    const ids = meant(idsUnder(event.originalEvent, container), catalogue);
    const own = app.own.under(event.originalEvent);
    state.set(own.length ? { own: own[0] } : { zone: ids[0] ?? null, own: null }, "map");
    chooser.offer([...own, ...ids]);
  });
  container.addEventListener("keydown", (event) => {
    const id = idOf(event.target);
    if (!id || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    state.set({ zone: id }, "key");
  });
  showNames(app);
}

/** Light up everything that stands for a feature, as one that the keyboard is on if it is. */
function highlight(id, focused = false) {
  for (const node of document.querySelectorAll(".is-hovered")) {
    if (node.dataset.id !== id) node.classList.remove("is-hovered", "is-focused");
  }
  if (!id) return;
  for (const node of document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)) {
    node.classList.add("is-hovered");
    node.classList.toggle("is-focused", focused);
  }
}

/** Return the ids of all features under a pointer, topmost first. */
function idsUnder({ clientX, clientY }, container) {
  const nodes = document.elementsFromPoint(clientX, clientY).filter((node) => container.contains(node));
  return [...new Set(nodes.map((node) => node.closest("[data-id]")?.dataset.id).filter(Boolean))];
}

/**
 * Return those that a reader could mean: what only lies beneath its own part is not a choice, unless nobody
 * knows the extent of that part.
 */
function meant(ids, { features }) {
  const beneath = new Set();
  for (const id of ids) {
    const certain = features.get(id).edge !== "indicative";
    for (let parent = features.get(id).parent, first = true; parent; parent = features.get(parent)?.parent, first = false)
      if (certain || !first || features.get(parent)?.layer === "counties") beneath.add(parent);
  }
  return ids.filter((id) => !beneath.has(id));
}

/** Show the name of what the mouse is over, and the one fact that the theme is about. */
function showNames(app) {
  const { map, state, catalogue } = app;
  const hint = byId("hint");
  const hide = () => {
    hint.hidden = true;
  };

  function factOf(feature) {
    if (catalogue.themeOf(feature, state.get()).colour_by !== "cluster") return feature.fact;
    return (feature.clusters ?? []).map((id) => catalogue.clusters.get(id).name).join(t("common.list_comma"));
  }

  map.on("mousemove", ({ originalEvent, containerPoint }) => {
    const id = originalEvent.target.closest?.("[data-id]")?.dataset.id;
    const [own] = app.own.under(originalEvent);
    const feature = own ? app.own.featureOf(own) : catalogue.features.get(id);
    hint.hidden = !feature || originalEvent.buttons > 0;
    if (!feature) return;
    const title = own ? feature.name : t("map.figure", { name: feature.name, kind: t(`kind.${feature.kind}`) });
    hint.replaceChildren(el("span", { text: title }), el("span", { class: "muted", text: (own ? feature.lead : factOf(feature)) || "" }));
    const flip = containerPoint.x > map.getSize().x - 240;
    hint.style.transform = `translate(${containerPoint.x + (flip ? -12 : 14)}px, ${containerPoint.y + 18}px)${flip ? " translateX(-100%)" : ""}`;
  });
  map.on("mouseout movestart click", hide);
  state.subscribe(hide);
}
