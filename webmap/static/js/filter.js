/** The industry filter: a plain select, grouped by cluster. */

import { byId, el } from "./dom.js";
import { local, t } from "./words.js";

export function createFilter({ state, catalogue }) {
  const [select, page] = ["industry", "industry-page"].map(byId);
  const { industries } = catalogue.payload;

  function draw() {
    const theme = catalogue.themes.get(state.get().theme);
    const counts = count(catalogue.featuresOf(theme));
    const used = new Set([...catalogue.features.values()].flatMap((one) => one.industries ?? []));
    const groups = [...catalogue.clusters.values(), { id: null, name: t("map.no_cluster"), letter: null }];
    select.replaceChildren(el("option", { value: "", text: t("map.all_industries") }));
    for (const cluster of groups) {
      const ids = Object.keys(industries).filter((id) => used.has(id) && industries[id].cluster === cluster.id);
      const label = cluster.letter ? `${cluster.letter} ${cluster.name}` : cluster.name;
      if (ids.length)
        select.append(
          el(
            "optgroup",
            { label },
            ids.map((id) => option(id, counts.get(id) ?? 0)),
          ),
        );
    }
    mark();
  }

  const option = (id, number) =>
    el("option", { value: id, text: t("map.industry_count", { name: industries[id].name, count: number }) });

  function mark() {
    const { industry } = state.get();
    select.value = industry ?? "";
    byId("industry-clear").hidden = !industry;
    page.hidden = !industry;
    if (industry) page.href = local(`/industries/${industry}`);
  }

  select.disabled = false;
  select.addEventListener("change", () => state.set({ industry: select.value || null, cluster: null }, "key"));
  byId("industry-clear").addEventListener("click", () => {
    state.set({ industry: null }, "key");
    select.focus();
  });
  state.subscribe((now, before) => (now.theme === before.theme ? mark() : draw()));
  draw();
}

function count(features) {
  const counts = new Map();
  for (const id of features.flatMap((one) => one.industries ?? [])) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
