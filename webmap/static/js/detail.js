/** What the panel says of a place, section by section. What is not known is said, with its reason. */

import { el } from "./dom.js";
import { industriesOf } from "./industries.js";
import { bilingual, claim, clauseLink, facts, folded, groupBy, noted, nothing, placeLink, places, section } from "./pieces.js";
import { at } from "./served.js";
import { local, number, pick, roughly, t } from "./words.js";

const POINTS = new Set(["platforms", "gateways"]);

/** Return the sections of a detail document. */
export function sectionsOf(app, doc) {
  const point = POINTS.has(doc.layer);
  const parts = point ? pointSections(app, doc) : placeSections(app, doc);
  return [
    doc.note ? el("p", { class: "remark" }, noted(pick(doc.note))) : null,
    ...parts,
    responsible(doc),
    ...(point ? [] : [areas(doc)]),
    boundary(doc),
    clauses(doc),
    downloads(doc),
  ].filter(Boolean);
}

/** Return the tags under the name: schematic or not, how made, how accurate. */
export function tagsOf(doc) {
  const { method, schematic, accuracy_m: accuracy } = doc.geometry;
  if (!method) return [el("span", { class: "tag", text: t("map.no_place") })];
  return [
    schematic ? el("span", { class: "tag caution", text: t("map.schematic") }) : null,
    el("span", { class: "tag", text: t(`method.${method}`) }),
    el("span", { class: "tag", text: t("map.accuracy", { metres: roughly(accuracy) }) }),
  ].filter(Boolean);
}

function placeSections(app, doc) {
  const composed = Boolean(doc.relation);
  return [
    section("positioning", positioning(doc)),
    composed ? section("composition", composition(app, doc)) : null,
    industriesOf(app, doc),
    section("chains", chains(doc)),
    composed && !doc.memberships?.length
      ? null
      : section("memberships", places(app, doc.memberships) ?? nothing(t("map.no_memberships"))),
    section("children", places(app, doc.children)),
    section("platforms", places(app, doc.platforms) ?? nothing(t("map.no_platforms"))),
    section("gateways", places(app, doc.gateways)),
    section("towns", towns(doc)),
  ];
}

function pointSections(app, doc) {
  const related = doc.industries_related ?? [];
  const item = (one) => el("li", {}, el("a", { href: local(`/industries/${one.id}`), text: pick(one.name) }));
  const rows = [
    ["status", doc.status ? t(`status.${doc.status}`) : null],
    ["basis", doc.zone_basis ? t(`zone_basis.${doc.zone_basis}`) : null],
    ["opened", doc.opened],
  ];
  return [
    rows.some(([, value]) => value) ? section("facts", facts(rows)) : null,
    related.length ? section("related", el("ul", { class: "claims" }, related.map(item))) : null,
  ];
}

function positioning(doc) {
  if (!doc.positioning?.length) return nothing(t("map.no_positioning"));
  return el(
    "ul",
    { class: "claims" },
    doc.positioning.map((row) => claim(row.term, row.clause)),
  );
}

function composition(app, doc) {
  return [
    el("ul", { class: "claims" }, claim(doc.relation.term, doc.relation.clause)),
    places(app, doc.members),
    doc.core
      ? el("p", { class: "core" }, el("span", { class: "muted", text: t("map.core") }), " ", placeLink(app, doc.core))
      : null,
  ];
}

function chains(doc) {
  if (!doc.chains?.length) return null;
  const item = (row) =>
    el("li", {}, el("span", {}, row.name ? bilingual(row.name) : t("map.unnamed_chain")), clauseLink(row.clause));
  return el("ul", { class: "claims" }, doc.chains.map(item));
}

function towns(doc) {
  if (!doc.towns?.length) return null;
  return folded(
    doc.towns.map((one) => el("li", {}, bilingual(one.name))),
    "inline",
  );
}

/** Responsible units under the clause that names them: one block may serve a whole item. */
function responsible(doc) {
  const rows = doc.responsible_units ?? [];
  const own = doc.government ? government(doc.government) : [];
  if (!rows.length) return section("responsible", [...own, nothing(t("map.no_responsible"))]);
  const group = ([clause, units]) => [
    el("p", { class: "clause-head" }, clauseLink(clause)),
    el(
      "ul",
      { class: "inline" },
      units.map((unit) => el("li", { text: pick(unit.name) })),
    ),
  ];
  return section("responsible", [...own, ...[...groupBy(rows, (row) => row.clause)].flatMap(group)]);
}

/** The body that bears the place's own name, and the clauses that print it. */
function government(row) {
  const link = el("a", { href: local(`/agencies/${row.agency_id}`), text: pick(row.name) });
  const tasks = row.tasks.map((one) => el("li", {}, el("span", { text: pick(one.title) }), clauseLink(one.id)));
  return [
    el("p", {}, el("span", { class: "muted", text: t("map.governed_by") }), " ", link),
    el("p", { class: "remark", text: t("map.governed_tasks") }),
    el("ul", { class: "claims" }, tasks),
  ];
}

function areas(doc) {
  const square = (value) => t("map.square_km", { value: number(value, value < 10 ? 2 : 1) });
  const official = (row) =>
    el(
      "li",
      {},
      el("span", { class: "figure", text: square(row.area_km2) }),
      row.chosen ? el("span", { class: "tag", text: t("map.chosen") }) : null,
      el("span", {
        class: "remark",
        text: [pick(row.scope), pick(row.source.name), pick(row.reason)].filter(Boolean).join(" · "),
      }),
    );
  return section(
    "areas",
    facts([
      ["drawn", doc.area_km2 === null ? null : square(doc.area_km2)],
      ["official", doc.official_area_km2 ? square(doc.official_area_km2) : t("map.no_official_area")],
    ]),
    doc.official_areas?.length ? el("ul", { class: "sources" }, doc.official_areas.map(official)) : null,
  );
}

function boundary(doc) {
  const { method, schematic, accuracy_m: accuracy, source, licence, unknown, label } = doc.geometry;
  const heading = POINTS.has(doc.layer) ? "position" : "boundary";
  if (!method) return section(heading, nothing(pick(unknown) || t("map.no_geometry")));
  const confidence = doc.position?.confidence;
  return section(
    heading,
    schematic && heading === "boundary"
      ? el("p", { class: "caution-note", text: t("map.schematic_note") })
      : null,
    facts([
      ["method", t(`method.${method}`)],
      ["accuracy", t("map.accuracy", { metres: roughly(accuracy) })],
      ["confidence", confidence ? t(`confidence.${confidence}`) : null],
      ["position", label ? t("map.coordinates", { lon: label[0].toFixed(4), lat: label[1].toFixed(4) }) : null],
      ["source", pick(source)],
      ["licence", pick(licence) || t("map.no_licence")],
    ]),
    heading === "boundary" ? el("p", { class: "remark", text: t(`method_note.${method}`) }) : null,
  );
}

function clauses(doc) {
  if (!doc.clauses?.length) return section("clauses", nothing(t("map.no_clauses")));
  const item = (row) => el("li", {}, el("span", { text: pick(row.title) }), clauseLink(row.id));
  return section("clauses", folded(doc.clauses.map(item), "claims"));
}

function downloads(doc) {
  const links = doc.links ?? [{ href: `${doc.url}.json`, type: "application/json" }];
  const name = (href) => href.slice(href.lastIndexOf("."));
  const item = ({ href, type }) => el("a", { class: "button", href: at(href), type, download: "", text: name(href) });
  return section("downloads", el("p", { class: "actions" }, links.map(item)));
}
