/** Compare places, as webmap/views/comparison.py does, on the documents that it takes its facts from. */

import { Refusal, splitIds } from "./offline-numbers.js";

/** Return `{parse, compare, group, toRows}` on the tables of the comparison. */
export function createComparison({ places, emphases, least, most }) {
  /** Return the places of an address; throws what is wrong with it. */
  function parse(query) {
    const ids = splitIds(query.getAll("zones"));
    const unknown = ids.find((one) => !(one in places));
    if (unknown !== undefined) throw new Refusal("error.unknown_zone", "zones", unknown, Object.keys(places).join(", "));
    const twice = ids.find((one, at) => ids.indexOf(one) !== at);
    if (twice) throw new Refusal("error.repeated", "zones", twice, [...new Set(ids)].join(","));
    if (ids.length > most) throw new Refusal("error.too_many", "zones", String(ids.length), `${least}-${most}`);
    return ids;
  }

  /** Return the places in the order asked, and their facts in aligned rows. */
  function compare(ids) {
    const chosen = ids.map((one) => places[one]);
    const by = (value) => Object.fromEntries(chosen.map((one) => [one.head.id, value(one)]));
    const industries = align(chosen, "industries", true);
    for (const { cells } of industries)
      for (const cell of Object.values(cells)) cell.sort((one, other) => emphases.indexOf(one.emphasis) - emphases.indexOf(other.emphasis));
    return {
      zones: chosen.map((one) => one.head),
      industries,
      industries_of_areas: align(chosen, "industries_of_areas", true),
      answers: by((one) => one.answers),
      positioning_of_areas: by((one) => one.positioning_of_areas),
      positioning: by((one) => one.positioning),
      memberships: align(chosen, "memberships"),
      platforms: align(chosen, "platforms"),
      responsible_units: align(chosen, "responsible_units"),
    };
  }

  return { parse, compare, group, toRows };
}

/** Return a row for everything that any place lists, the most common first; a cell is one entry, or where there may be many all. */
function align(chosen, name, many = false) {
  const found = new Map();
  for (const place of chosen)
    for (const { about, ...row } of place[name]) {
      if (!found.has(about.id)) found.set(about.id, { ...about, cells: {} });
      const { cells } = found.get(about.id);
      if (many) (cells[place.head.id] ??= []).push(row);
      else cells[place.head.id] = row;
    }
  const size = (row) => Object.keys(row.cells).length;
  const rows = [...found.values()].map((row) => ({ ...row, common: chosen.length > 1 && size(row) === chosen.length }));
  return rows.sort((one, other) => size(other) - size(one));
}

/** Return rows gathered by the places that have them, those of the most places first. */
function group(rows, ids) {
  const found = new Map();
  for (const row of rows) {
    const zones = ids.filter((one) => one in row.cells).join(" ");
    found.set(zones, [...(found.get(zones) ?? []), row]);
  }
  const groups = [...found].map(([zones, items]) => ({ zones: zones.split(" "), items }));
  const places = ({ zones }) => [ids.length - zones.length, ...zones.map((one) => ids.indexOf(one))];
  return groups.sort((one, other) => compareLists(places(one), places(other)));
}

function compareLists(one, other) {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : one[at] - other[at];
}

/** Return the comparison as a table: a line a fact, a column a place. */
function toRows(found, language) {
  const names = [...new Set(["zh", language])];
  const ids = found.zones.map((zone) => zone.id);
  const lines = [["section", "id", ...names.map((one) => `name_${one}`), "common", ...ids]];
  const line = (section, row, common, cells) => lines.push([section, row?.id ?? "", ...names.map((one) => row?.name[one] ?? ""), common, ...cells]);
  const cite = ({ term, clause }) => `${term[language]} [${clause}]`;
  const shared = (row) => (row.common ? "yes" : "no");
  const joined = (row, tell) => ids.map((one) => (row.cells[one] ?? []).map(tell).join("; "));

  line("name", null, "", found.zones.map((zone) => zone.name[language]));
  for (const key of ["kind", "area_km2", "official_area_km2"]) line(key, null, "", found.zones.map((zone) => zone[key]));
  for (const key of ["method", "accuracy_m"]) line(key, null, "", found.zones.map((zone) => zone.geometry[key]));
  line("positioning", null, "", ids.map((one) => found.positioning[one].map(cite).join("; ")));
  for (const row of found.industries) line("industry", row, shared(row), joined(row, (one) => `${one.emphasis}: ${cite(one)}`));
  for (const row of found.industries_of_areas) line("industry_of_areas", row, shared(row), joined(row, (one) => `${one.area.id}: ${cite(one)}`));
  for (const [name, section, key] of [
    ["memberships", "membership", "clause"],
    ["platforms", "platform", "kind"],
    ["responsible_units", "responsible_unit", "clause"],
  ])
    for (const row of found[name]) line(section, row, shared(row), ids.map((one) => row.cells[one]?.[key] ?? ""));
  return lines;
}
