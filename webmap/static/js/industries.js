/** Designated industries: chips, grouped by clause and by the plan's verb. */

import { el } from "./dom.js";
import { clauseLink, groupBy, nothing, section } from "./pieces.js";
import { badgeIcon } from "./symbols.js";
import { beside, lang, pick, t } from "./words.js";

export function industriesOf(app, doc) {
  if (!doc.industries) return null;
  if (!doc.industries.length) return section("industries", nothing(pick(doc.no_industries) || t("map.no_industries")));
  const groups = groupBy(doc.industries, (row) => row.clause);
  return section(
    "industries",
    [...groups].map(([clause, rows]) =>
      el("div", { class: "clause-group" }, el("p", { class: "clause-head" }, clauseLink(clause)), byVerb(app, rows)),
    ),
    clustersOf(doc),
  );
}

function byVerb(app, rows) {
  return [...groupBy(rows, (row) => `${row.emphasis} ${row.verb}`).values()].map((same) => {
    const [{ emphasis, verb }] = same;
    const name = lang() === "zh" ? verb || t(`emphasis.${emphasis}`) : t(`emphasis.${emphasis}`);
    return el(
      "div",
      { class: "verb-group" },
      el("p", { class: `emphasis emphasis-${emphasis}`, title: t(`emphasis.${emphasis}`), text: name }),
      el(
        "ul",
        { class: "chips" },
        same.map((row) => el("li", {}, chip(app, row))),
      ),
    );
  });
}

function chip(app, row) {
  const { state, catalogue } = app;
  const cluster = catalogue.clusters.get(row.cluster);
  const pressed = state.get().industry === row.industry_id;
  const chinese = beside(row.term);
  const hint = [t("map.filter_by", { name: pick(row.name) }), pick(row.note)].filter(Boolean).join(" – ");
  const button = el(
    "button",
    {
      type: "button",
      class: "chip",
      title: hint,
      "aria-pressed": String(pressed),
      dataset: { industry: row.industry_id },
    },
    cluster ? badgeIcon(cluster, cluster.name) : null,
    el(
      "span",
      {},
      el("span", { text: row.shared ? `${pick(row.term)} · ${pick(row.name)}` : pick(row.term) }),
      chinese ? el("span", { class: "zh", lang: "zh", text: chinese }) : null,
    ),
  );
  button.addEventListener("click", () => {
    const industry = state.get().industry === row.industry_id ? null : row.industry_id;
    state.set({ industry, cluster: null }, "key");
  });
  return button;
}

/** Which clusters the letters on the chips stand for. */
function clustersOf(doc) {
  if (!doc.clusters?.length) return null;
  const item = (one) => el("li", {}, badgeIcon(one), el("span", { text: pick(one.name) }));
  return el("ul", { class: "cluster-key", "aria-label": t("map.section.clusters") }, doc.clusters.map(item));
}

/** Show on the chips which industry the map is filtered by. */
export function markChips(box, industry) {
  for (const one of box.querySelectorAll("[data-industry]")) {
    one.setAttribute("aria-pressed", String(one.dataset.industry === industry));
  }
}
