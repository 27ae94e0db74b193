/** Small pieces that the panel is made of. */

import { el } from "./dom.js";
import { beside, local, pick, t } from "./words.js";

/** A section with its heading; left out where it has no content. */
export function section(key, ...content) {
  const nodes = content.flat().filter(Boolean);
  return nodes.length ? el("section", {}, el("h3", { text: t(`map.section.${key}`) }), nodes) : null;
}

export const nothing = (text) => el("p", { class: "nothing" }, noted(text));

const CLAUSE = /([一二三四五六七八]\([一二三四五六七八九十]\)(?:\d+(?:\(\d+\))?)?)/;

/** A text whose numbers of clauses are marked as Chinese and never break. */
export const noted = (text) =>
  text.split(CLAUSE).map((part, index) => (index % 2 ? el("span", { class: "unbroken", lang: "zh", text: part }) : part));

/** A text in the page's language with the Chinese beside it. */
export function bilingual(text) {
  const chinese = beside(text);
  return [el("span", { text: pick(text) }), chinese ? el("span", { class: "zh", lang: "zh", text: chinese }) : null];
}

/** A link to the page of a clause of the plan. */
export function clauseLink(id) {
  const href = local(`/plan/${encodeURIComponent(id)}`);
  return el("a", { class: "clause", lang: "zh", href, title: t("map.clause", { id }), text: id });
}

/** A place that opens on the map where the map has it, else its page. */
export function placeLink(app, place) {
  const name = bilingual(place.name);
  if (app.catalogue.features.has(place.id)) {
    const open = () =>
      app.state.set({ zone: place.id, theme: app.catalogue.themeFor(place.id, app.state.get().theme) }, "link");
    return el("button", { type: "button", class: "link", onclick: open }, name);
  }
  return place.url ? el("a", { href: local(place.url) }, name) : el("span", {}, name);
}

/** A list of places, each with a remark and a clause where it has them. */
export function places(app, rows) {
  const item = (row) =>
    el(
      "li",
      {},
      el(
        "span",
        { class: "place" },
        placeLink(app, row),
        row.kind ? el("span", { class: "muted", text: t(`kind.${row.kind}`) }) : null,
        row.located === false ? el("span", { class: "tag", text: t("map.no_place") }) : null,
        row.relation ? el("span", { class: "remark" }, bilingual(row.relation)) : null,
      ),
      row.clause ? clauseLink(row.clause) : null,
    );
  return rows?.length ? folded(rows.map(item), "claims") : null;
}

const SHOWN = 8;

/** A list that shows its first items and folds the rest away. */
export function folded(items, className) {
  if (items.length <= SHOWN + 2) return el("ul", { class: className }, items);
  const rest = el("details", {}, el("summary", { text: t("map.more", { count: items.length - SHOWN }) }));
  rest.append(el("ul", { class: className }, items.slice(SHOWN)));
  return el("div", {}, el("ul", { class: className }, items.slice(0, SHOWN)), rest);
}

/** A term, its clause. */
export const claim = (text, clause) => el("li", {}, el("span", {}, bilingual(text)), clauseLink(clause));

/** Rows of a description list, those without a value left out. */
export function facts(rows) {
  const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el(
    "dl",
    { class: "facts" },
    known.map(([key, value]) => el("div", {}, el("dt", { text: t(`map.fact.${key}`) }), el("dd", {}, value))),
  );
}

/** Group rows by a key, in the order of their first appearance. */
export function groupBy(rows, key) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(key(row))) groups.set(key(row), []);
    groups.get(key(row)).push(row);
  }
  return groups;
}
