/** Where several features lie under a click, offer them all. */

import { byId, el, narrow } from "./dom.js";
import { badgeIcon, swatch, symbolIcon } from "./symbols.js";
import { t } from "./words.js";

export function createChooser({ map, state, catalogue }) {
  const box = byId("chooser");

  function offer(ids, point) {
    close();
    if (ids.length < 2) return;
    box.replaceChildren(
      head(ids.length),
      el(
        "ul",
        {},
        ids.map((id) => el("li", {}, choice(id))),
      ),
    );
    box.hidden = false;
    const size = map.getSize();
    const covered = narrow.matches ? 0 : byId("panel").offsetWidth;
    const left = Math.min(point.x + 12, size.x - covered - box.offsetWidth - 8);
    const top = Math.min(point.y + 12, size.y - box.offsetHeight - 8);
    box.style.setProperty("--left", `${Math.max(8, left)}px`);
    box.style.setProperty("--top", `${Math.max(8, top)}px`);
    mark();
  }

  function head(count) {
    const shut = el(
      "button",
      { type: "button", class: "icon-button", "aria-label": t("map.close"), onclick: close },
      "×",
    );
    return el("div", { class: "chooser-head" }, el("span", { text: t("map.choose", { count }) }), shut);
  }

  function choice(id) {
    const feature = catalogue.features.get(id);
    const theme = catalogue.themes.get(state.get().theme);
    const entry = catalogue.entryOf(feature, theme);
    const icon = catalogue.isPoint(feature)
      ? symbolIcon(entry, catalogue.isHollow(feature))
      : swatch(catalogue.lookOf(feature, state.get()), feature.edge);
    return el(
      "button",
      { type: "button", dataset: { id }, onclick: () => state.set({ zone: id }, "list") },
      icon,
      el(
        "span",
        {},
        feature.letter && feature.colour ? badgeIcon(feature) : null,
        el("span", { text: ` ${feature.name}` }),
        el("span", { class: "muted", text: t(`kind.${feature.kind}`) }),
      ),
    );
  }

  function mark() {
    for (const button of box.querySelectorAll("[data-id]")) {
      button.setAttribute("aria-pressed", String(button.dataset.id === state.get().zone));
    }
  }

  function close() {
    box.hidden = true;
  }

  map.on("zoomstart dragstart", close);
  box.addEventListener("keydown", (event) => event.key === "Escape" && (close(), event.stopPropagation()));
  state.subscribe((now, before, origin) => {
    if (now.theme !== before.theme || !now.zone || origin === "search") close();
    else mark();
  });
  return { offer, close };
}
