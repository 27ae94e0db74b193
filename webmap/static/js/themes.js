/** The theme control: a radio group, one theme at a time. */

import { byId, calm, el } from "./dom.js";

export function createThemes({ state, catalogue }) {
  const box = byId("themes-choices");

  function option(theme) {
    const input = el("input", {
      type: "radio",
      name: "map-theme",
      id: `theme-${theme.id}`,
      value: theme.id,
      onchange: () => state.set({ theme: theme.id, cluster: null }, "key"),
    });
    return el("div", { class: "theme" }, input, el("label", { for: input.id, text: theme.title }));
  }

  function mark() {
    const input = byId(`theme-${state.get().theme}`);
    input.checked = true;
    const { left, width } = input.parentElement.getBoundingClientRect();
    const room = box.getBoundingClientRect();
    if (left < room.left || left + width > room.right) {
      const behavior = calm.matches ? "auto" : "smooth";
      box.scrollBy({ left: left - room.left - (room.width - width) / 2, behavior });
    }
  }

  box.replaceChildren(...[...catalogue.themes.values()].map(option));
  state.subscribe((now, before) => now.theme !== before.theme && mark());
  mark();
}
