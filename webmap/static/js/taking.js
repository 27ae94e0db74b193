/** Links to what the map shows, as files: the theme's layers with the filters that are set. */

import { byId } from "./dom.js";
import { at } from "./served.js";
import { local } from "./words.js";

export function createTaking({ state }) {
  const box = byId("taking");
  if (!box) return; // an embedded map has none

  function update() {
    const { theme, industry, cluster } = state.get();
    const query = new URLSearchParams({ theme });
    if (industry) query.set("industry", industry);
    if (cluster && theme === "clusters") query.set("cluster", cluster);
    for (const link of box.querySelectorAll("a[data-format]")) {
      link.href = at(`/data/plan.${link.dataset.format}?${query}`);
    }
    byId("taking-more").href = `${local(`/data/?${query}`)}#choose`;
  }

  state.subscribe(update);
  update();
}
