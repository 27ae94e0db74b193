/** The question that the reader came with: it stays on the map, with its answer in figures and a way back. */

import { listOf } from "./catalogue.js";
import { byId, el } from "./dom.js";
import { local, served, t } from "./site.js";

export function createQuestion({ state, catalogue }) {
  const box = byId("question");
  const places = [...catalogue.features.values()].filter((one) => catalogue.isArea(one));

  /** Return what is asked: its words, where it came from, what the map answers, what takes it away. */
  function asked({ theme, industry, cluster, pick, q }) {
    if (pick) {
      if (!byId("toolbar")) return null; // in a frame: its page says which
      const name = listOf(pick).map((id) => catalogue.features.get(id).name).join(t("common.list_comma"));
      return { text: t("map.asked.pick", { name }), back: `/compare?zones=${pick}`, clear: { pick: null } };
    }
    if (industry) {
      const { name, cluster: within } = catalogue.payload.industries[industry];
      const count = places.filter((one) => one.industries.includes(industry)).length;
      const said = t(count ? "map.asked.places" : "map.asked.no_place", { count });
      const next = within && { cluster: within, count: places.filter((one) => one.clusters.includes(within)).length };
      return { text: t("map.asked.industry", { name }), back: `/industries/${industry}`, said, none: !count, next, clear: { industry: null } };
    }
    if (cluster && theme === "clusters") {
      const count = places.filter((one) => one.clusters.includes(cluster)).length;
      const { name } = catalogue.clusters.get(cluster);
      return { text: t("map.asked.cluster", { name }), back: `/clusters/${cluster}`, said: t("map.asked.in_places", { count }), clear: { cluster: null } };
    }
    return q ? { text: t("map.asked.search", { q }), back: served ? `/search?q=${encodeURIComponent(q)}` : null, clear: { q: null } } : null;
  }

  function draw() {
    const question = asked(state.get());
    box.hidden = !question;
    if (!question) return;
    const { text, back, said, none, next, clear } = question;
    const toCluster = () => state.set({ theme: "clusters", cluster: next.cluster, industry: null, hide: null }, "key");
    const label = t("map.asked.clear");
    const parts = [
      back ? el("a", { href: local(back), title: t("map.asked.back"), text }) : el("span", { text }),
      el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: () => state.set(clear, "key") }, "×"),
      said && el(none ? "strong" : "span", { class: "said", text: said }),
      next && el("button", { type: "button", class: "link", onclick: toCluster, text: t("map.asked.in_cluster", { count: next.count }) }),
    ];
    box.replaceChildren(...parts.filter(Boolean));
  }

  state.subscribe(draw);
  draw();
}
