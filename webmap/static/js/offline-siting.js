/** Rank places by criteria, as webmap/views/siting.py and layers/measures.py do, on the tables that the former builds. */

import { Refusal, rounded, splitIds, toExact, toNumber } from "./offline-numbers.js";

const INDUSTRY = "industry";
const WHOLE = /^[0-9]{1,15}$/;
const SHARE = /^(?:0(?:\.[0-9]{1,2})?|1(?:\.0{1,2})?)$/;
const DECIMALS = 3;

/** Return `{parse, rank, toRows}` on the tables of the siting. */
export function createSiting(tables) {
  const { places, industries, circumstances, distances, coast, usual, limits } = tables;
  const criterionOf = (industry) => `${INDUSTRY}:${industry}`;

  /** Return the criteria of an address; throws what is wrong with one. */
  function parse(query) {
    const chosen = [...new Set(splitIds(query.getAll(INDUSTRY)))];
    const unknown = chosen.find((one) => !(one in industries));
    if (unknown !== undefined) throw new Refusal("error.unknown_industry", INDUSTRY, unknown, Object.keys(industries).join(", "));
    const most = limits.industries;
    if (chosen.length > most) throw new Refusal("error.too_many", INDUSTRY, String(chosen.length), `0-${most}`);
    const whole = (name, low, high, other) => {
      const text = (query.get(name) ?? "").trim();
      if (!text) return other;
      const value = WHOLE.test(text) ? Number(text) : -1;
      if (value < low || value > high) throw new Refusal("error.whole", name, text, `${low}-${high}`);
      return value;
    };
    const weight = whole("weight", 0, limits.weight, usual.weight);
    const weights = Object.fromEntries(circumstances.map((one) => [one, whole(one, 0, limits.weight, 0)]));
    return { industries: chosen, weight, weights, reach: whole("reach", 1, limits.reach, usual.reach), area: share() };

    function share() {
      const text = (query.get("area") ?? "").trim();
      if (text && !SHARE.test(text)) throw new Refusal("error.share", "area", text, "0-1");
      return text ? Number(text) : usual.area;
    }
  }

  /** Return every zone with its score and the account of it: best first, the incomparable apart. */
  function rank(criteria) {
    const unnamed = criteria.industries.map((one) => industries[one].unnamed).filter(Boolean);
    const dropped = new Set(unnamed.filter((row) => row.dropped).map((row) => criterionOf(row.industry.id)));
    const asked = criteria.industries.map((one) => [criterionOf(one), criteria.weight]);
    const all = [...asked, ...Object.entries(criteria.weights)].map(([one, weight]) => [one, dropped.has(one) ? 0 : weight]);
    const weights = Object.fromEntries(all.filter(([, weight]) => weight));
    const accounts = new Map(places.map((place) => [place.id, account(place, criteria)]));
    const made = criteria.industries.some((one) => industries[one].made);
    const serves = (place) => made && place.for_services && !criteria.industries.some((one) => one in place.answers);
    const rows = (some) => rankRows(some.map((place) => [place, accounts.get(place.id)]), weights);
    const ranked = rows(places.filter((place) => !serves(place)));
    const apart = rows(places.filter(serves)).map((row) => Object.assign(row, unranked(row)));
    const elsewhere = criteria.industries.flatMap((one) => industries[one].elsewhere);
    return {
      weights,
      total_weight: all.reduce((sum, [, weight]) => sum + weight, 0),
      reach_km: criteria.reach,
      area_share: criteria.area,
      coast_m: tables.coast_m,
      edge_m: tables.edge_m,
      unnamed,
      ranked: ranked.filter((row) => row.rank),
      incomplete: ranked.filter((row) => !row.rank),
      unsuitable: apart,
      elsewhere,
    };
  }

  const unranked = () => ({ rank: null, tied: false, unclear: false, score: null, score_low: null, score_high: null });

  /** Return what is known of a place for every criterion, each with its measure or null. */
  function account(place, { industries: asked, reach, area }) {
    const found = asked.map((one) => [criterionOf(one), designated(place, one, area)]);
    const near = distances.map((one) => [one, distance(place.distances[one], reach)]);
    const groups = Object.entries(place.groups).map(([name, rows]) => [name, { kind: "group", groups: rows, ...exactly(rows.length ? 1 : 0) }]);
    return Object.fromEntries([...found, ...near, [coast, onCoast(place.coast)], ...groups]);
  }

  function designated(place, industry, area) {
    const { about, named } = industries[industry];
    const { kind = "elsewhere", said = [] } = place.answers[industry] ?? {};
    const own = said.filter((row) => row.kind === "zone").map(({ term, emphasis, verb, clause }) => ({ term, emphasis, verb, clause }));
    const value = { elsewhere: place.listed ? 0 : null, zone: 1 }[kind];
    return {
      ...exactly(value === undefined ? area : value),
      kind: "designation",
      place: place.id,
      industry: about,
      answer: kind,
      designations: own,
      said,
      listed_for: named.filter((one) => one.id !== place.id),
      listed: place.listed,
      unknown: place.no_industries,
    };
  }

  return { parse, rank, toRows: (found, language) => toRows(found, language) };
}

const exactly = (measure) => ({ measure, low: measure, high: measure });

/** Return 1 at the place itself, falling evenly to 0 at the reach. */
function distance(found, reach) {
  if (!found) return { ...exactly(null), kind: "distance", unknown: null };
  const measure = (metres) => Math.max(0, 1 - Math.max(metres, 0) / (1000 * reach));
  const { distance_m: metres, accuracy_m: accuracy } = found;
  return { measure: measure(metres), low: measure(metres + accuracy), high: measure(metres - accuracy), kind: "distance", ...found };
}

function onCoast(found) {
  if (found.on === null) return { ...exactly(null), kind: "coast", unknown: null, ...found };
  const value = Number(found.on);
  return { measure: value, low: found.sure ? value : 0, high: value, kind: "coast", ...found };
}

/** Return the rows of places best first, then those of which a criterion is unknown, best first. */
function rankRows(candidates, weights) {
  if (!Object.keys(weights).length) return [];
  const scored = candidates.map(([place, rows]) => score(place, rows, weights)).sort(byScore);
  const full = scored.filter((one) => !one.unknown);
  number(full);
  return [...full, ...scored.filter((one) => one.unknown)].map((one) => toRow(one, weights));
}

function score(place, rows, weights) {
  const known = Object.entries(weights).filter(([one]) => rows[one].measure !== null);
  const total = known.reduce((sum, [, weight]) => sum + weight, 0);
  const sum = (key) => known.reduce((whole, [one, weight]) => whole + BigInt(weight) * toExact(rows[one][key]), 0n);
  const unknown = known.length < Object.keys(weights).length;
  return { place, rows, unknown, total, score: sum("measure"), low: sum("low"), high: sum("high"), rank: null };
}

function byScore(one, other) {
  if (!one.total || !other.total) return (one.total ? 0 : 1) - (other.total ? 0 : 1) || byId(one, other);
  const gap = other.score * BigInt(one.total) - one.score * BigInt(other.total);
  return gap > 0n ? 1 : gap < 0n ? -1 : byId(one, other);
}

const byId = (one, other) => (one.place.id < other.place.id ? -1 : 1);

/** Give the same rank to the same score, and mark what the accuracy cannot tell apart; all have the same total. */
function number(rows) {
  for (const [at, row] of rows.entries()) {
    const above = rows[at - 1];
    const same = above?.score === row.score;
    row.rank = same ? above.rank : at + 1;
    row.tied = same || rows[at + 1]?.score === row.score;
    row.unclear = Boolean(above) && !same && row.high > above.low;
  }
}

function toRow({ place, rows, total, score: sum, low, high, rank, tied = false, unclear = false }, weights) {
  const criteria = Object.entries(weights).map(([wish, weight]) => weighed(wish, rows[wish], weight));
  const percent = (value) => (rank ? rounded(toNumber(value, total) * 100, 1) : null);
  const { id, layer, kind, name, url } = place;
  const points = criteria.reduce((whole, row) => whole + (row.points ?? 0), 0);
  return {
    ...{ id, layer, kind, name, url, rank, tied, unclear },
    score: percent(sum),
    score_low: percent(low),
    score_high: percent(high),
    known_weight: total,
    points: rounded(points, DECIMALS),
    criteria,
  };
}

function weighed(wish, account, weight) {
  const { measure } = account;
  const shown = measure === null ? { measure, points: null } : { measure: rounded(measure, DECIMALS), points: rounded(weight * measure, DECIMALS) };
  return { wish, ...account, weight, ...shown };
}

/** Return the ranking as a table: a line a zone and criterion. */
function toRows({ ranked, incomplete, unsuitable }, language) {
  const names = [...new Set(["zh", language])];
  const head = ["rank", "zone_id", ...names.map((one) => `zone_${one}`), "score", "score_low", "score_high"];
  const lines = [...ranked, ...incomplete, ...unsuitable].flatMap((row) => row.criteria.map((one) => [...own(row), ...cells(one)]));
  return [[...head, "wish", "measure", "weight", "points", "distance_m", "accuracy_m", "nearest", "clauses"], ...lines];

  function own({ rank, id, name, score, score_low: low, score_high: high }) {
    return [rank, id, ...names.map((one) => name[one]), score, low, high];
  }
}

function cells({ wish, measure, weight, points, distance_m: metres, gap_m: gap, accuracy_m: accuracy, to, said = [], groups = [] }) {
  const clauses = [...said, ...groups].map((row) => row.clause);
  return [wish, measure, weight, points, metres === undefined ? gap : metres, accuracy, to?.id, [...new Set(clauses)].join("; ")];
}
