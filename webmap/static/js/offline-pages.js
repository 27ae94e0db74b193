/** Siting, comparison and look-up on pages that no service answers: worked out here, from pieces of pages. */

import { createComparison } from "./offline-comparison.js";
import { byId, el } from "./dom.js";
import { Refusal, toCsv, written } from "./offline-numbers.js";
import { createPositions, parsePosition } from "./offline-positions.js";
import { createLookup } from "./offline-lookup.js";
import { createSiting } from "./offline-siting.js";
import { answerOffline } from "./search.js";
import { at, fetchJson, lang, load, local, setWords, t } from "./site.js";

/* Pieces: everything that an answer may say, in a template of its own beside the page. */

let box = null;
const pieces = new Map();

async function readPieces(name) {
  const page = new DOMParser().parseFromString(await load(`${name}.pieces.html`), "text/html");
  box = page.querySelector("template");
  for (const node of box.content.querySelectorAll("[data-piece]")) pieces.set(node.dataset.piece, node);
  setWords(JSON.parse(box.dataset.says), document.documentElement.lang);
}

/** Return a copy of a piece with its gaps filled: texts or nodes by `data-fill`, what stays only if by `data-if`. */
function piece(name, values = {}) {
  const node = pieces.get(name).cloneNode(true);
  node.removeAttribute("data-piece");
  return fill(node, values);
}

function fill(node, values) {
  for (const one of node.querySelectorAll("[data-if]")) {
    if (values[one.dataset.if]) one.removeAttribute("data-if");
    else one.remove();
  }
  for (const one of [node, ...node.querySelectorAll("[data-fill]")]) {
    if (!one.dataset.fill) continue;
    one.replaceChildren(...[values[one.dataset.fill] ?? []].flat());
    one.removeAttribute("data-fill");
  }
  for (const one of node.querySelectorAll("[data-link]")) one.href = values[`${one.dataset.link}:link`] ?? one.href;
  return node;
}

/** Bind the buttons that save an answer as a file. */
function bindSaving(node, name, { rows, found }) {
  const files = { csv: () => [toCsv(rows()), "text/csv"], json: () => [JSON.stringify(found, null, 1), "application/json"] };
  for (const button of node.querySelectorAll("[data-save]"))
    button.addEventListener("click", () => {
      const [text, type] = files[button.dataset.save]();
      const href = URL.createObjectURL(new Blob([text], { type }));
      el("a", { href, download: `${name}.${button.dataset.save}` }).click();
      URL.revokeObjectURL(href);
    });
}

/** Return what was wrong with the address, as the server says it. */
function refused({ message, values, near }) {
  const rows = near.map(({ label, href }) => el("li", {}, el("a", { href: local(href), text: label })));
  const said = el("p", { text: t(message, values) });
  const section = el("section", { class: "refused", role: "alert" }, said);
  if (rows.length) section.append(el("ul", { class: "plain" }, rows));
  return section;
}

/** Send a form to this page: what it holds, without what counts anyway. */
function bindForm(usual) {
  const form = byId("ask");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = [...new FormData(form)].filter(([name, value]) => value !== "" && name !== "lang" && value !== usual[name]);
    const lists = new Map();
    for (const [name, value] of given) lists.set(name, [...(lists.get(name) ?? []), encodeURIComponent(value)]);
    const query = [...lists].map(([name, values]) => `${name}=${values.join(",")}`).join("&");
    window.location.assign(`${window.location.pathname}${query && `?${query}`}`);
  });
}

/* Siting. */

const COMPARED = 5;
const SHADES = 5;
const OPEN = 3; // of the best, with their accounts

function showRanking(tables, query, answer) {
  const { parse, rank, toRows } = createSiting(tables);
  const { usual } = tables;
  bindForm({ ...Object.fromEntries(tables.circumstances.map((one) => [one, "0"])), ...Object.fromEntries(Object.entries(usual).map(([name, value]) => [name, String(value)])) });
  const criteria = parse(query);
  fillForm(criteria);
  const found = rank(criteria);
  const first = found.unnamed.map((row) => pieceById(`unnamed-${row.industry.id}`));
  answer.append(...first);
  if (!found.ranked.length && !found.incomplete.length)
    return answer.append(piece("empty", { reason: t(first.length ? "answers.nothing_to_rank" : "siting.no_wish") }));
  const best = found.ranked.slice(0, COMPARED).map((row) => row.id);
  const head = piece("ranking", {
    best: best.length > 1 && t("siting.compare_best", { count: best.length }),
    "best:link": local(`/compare?zones=${best.join(",")}`),
    ties: found.ranked.some((row) => row.tied),
    elsewhere: found.elsewhere.map((row) => sentenceElsewhere(row)).filter(Boolean),
    ranked: found.ranked.map((row, index) => placeOf(row, index < OPEN)),
    none_complete: !found.ranked.length,
  });
  if (!found.ranked.length) head.querySelector("ol.ranking")?.remove();
  colour(head, found);
  bindSaving(head, "find", { found, rows: () => toRows(found, lang()) });
  answer.append(head);
  const rows = (some) => some.map((row) => placeOf(row, false));
  if (found.incomplete.length)
    answer.append(piece("incomplete", { note: t("siting.incomplete_note", { total: found.total_weight }), rows: rows(found.incomplete) }));
  if (found.unsuitable.length) {
    const kinds = [...new Set(found.unsuitable.map((row) => row.kind))].map((kind) => piece(`unsuitable:${kind}`));
    answer.append(piece("unsuitable", { kinds, rows: rows(found.unsuitable) }));
  }
}

const pieceById = (id) => box.content.getElementById(id).closest("section").cloneNode(true);

function sentenceElsewhere({ industry, zone, clause }) {
  return piece(`elsewhere:${industry.id}:${zone.id}:${clause}`);
}

function fillForm({ industries, weight, weights, reach, area }) {
  const { elements } = byId("ask");
  for (const one of byId("ask").querySelectorAll("input[type=checkbox]")) {
    one.checked = industries.includes(one.value);
    if (one.checked) one.closest("details").open = true;
  }
  for (const [name, value] of Object.entries({ weight, reach, area, ...weights })) {
    elements[name].value = value;
    const shown = elements[name].parentElement.querySelector("output");
    if (shown) shown.value = value;
  }
}

/** Return the row of a place with its account. */
function placeOf(row, open) {
  const node = pieces.get(`place:${row.id}`).cloneNode(true);
  const criteria = new Map(row.criteria.map((one) => [one.wish, one]));
  const lines = new Map([...node.querySelectorAll("tr[data-wish]")].map((line) => [line.dataset.wish, line]));
  const body = node.querySelector("tbody");
  for (const [wish, line] of lines) if (!criteria.has(wish)) line.remove();
  for (const [wish, { measure, weight, points, industry, listed }] of criteria) {
    const line = fill(lines.get(wish) ?? pieces.get(`unsaid:${industry.id}:${listed}`).cloneNode(true), { measure: written(measure, 2), weight: String(weight), points: written(points, 2) });
    line.removeAttribute("data-piece");
    body.append(line); // in the order that they were asked in
  }
  const { rank, score, score_low: low, score_high: high, points, known_weight: known } = row;
  const shown = written(score, 1);
  const none = t(known ? "siting.incomplete" : "siting.nothing_known");
  fill(node, {
    ...{ rank: rank ? String(rank) : "–", tied: row.tied, unclear: row.unclear, unranked: !rank },
    score: rank && shown,
    sum: rank ? t("siting.sum", { points: written(points, 2), weight: known, score: shown }) : none,
    range: rank && low !== high && t("siting.range", { low: written(low, 1), high: written(high, 1) }),
  });
  node.querySelector("rect.fill")?.setAttribute("width", score);
  node.removeAttribute("data-piece");
  node.querySelector("details").open = open;
  return node;
}

/** Colour the sketch: the higher the score, the stronger; ranks are its labels. */
function colour(node, { ranked }) {
  const by = new Map(ranked.map((row) => [row.id, row]));
  for (const spot of node.querySelectorAll(".sketch .spot")) {
    const row = by.get(spot.dataset.place);
    if (row) spot.classList.replace("spot-score-none", `spot-score-${Math.min(Math.trunc((row.score * SHADES) / 100), SHADES - 1)}`);
  }
  for (const label of node.querySelectorAll(".sketch text[data-label]")) {
    const row = by.get(label.dataset.label);
    if (row) label.textContent = row.rank;
    else label.remove();
  }
}

/* Comparison. */

const FACTS = ["map", "area", "official", "boundary", "positioning"];
const LISTS = ["platforms", "responsible_units"];

function showComparison(tables, query, answer) {
  const { parse, compare, group, toRows } = createComparison(tables);
  bindForm({});
  const ids = parse(query);
  const names = new Map(Object.values(tables.places).map(({ head }) => [head.id, head.name[lang()]]));
  choose(ids, names, tables);
  if (!ids.length) return;
  if (ids.length < tables.least) return answer.append(piece("one-more"));
  const found = compare(ids);
  document.title = `${ids.map((one) => names.get(one)).join(t("common.comma"))} – ${document.title}`;
  const shared = found.industries.filter((row) => row.common).length;
  const why = found.zones.some((zone) => zone.no_industries);
  const empty = Object.fromEntries(LISTS.map((name) => [`${name}:none`, !found[name].length]));
  const node = piece("comparison", { count: t("compare.common_count", { common: shared, total: found.industries.length }), why, ...empty });
  const row = (name) => node.querySelector(`[data-row="${name}"]`);
  node.querySelector(".compared").classList.add(`of-${ids.length}`);
  node.querySelector("thead tr").append(...ids.map((one) => piece(`head:${one}`)));
  node.querySelector(".section th").colSpan = ids.length + 1;
  for (const name of [...FACTS, ...(why ? ["why"] : [])]) row(name).append(...ids.map((one) => piece(`${name}:${one}`)));
  const lines = [...found.industries.map((one) => industryLine("industry", one, ids, found)), ...found.industries_of_areas.map((one) => industryLine("of-area", one, ids, found))];
  node.querySelector(".section").after(...lines);
  row("memberships").append(...ids.map((one) => membershipsOf(one, found.memberships)));
  for (const name of LISTS) fillList(node.querySelector(`[data-list="${name}"]`), name, group(found[name], ids), ids, names);
  node.querySelector("iframe").src = at(`/embed?pick=${ids.join(",")}`);
  node.querySelector('[data-link="map"]').href = at(`/?pick=${ids.join(",")}`);
  const print = node.querySelector(".print-page");
  print.hidden = false;
  print.addEventListener("click", () => window.print());
  bindSaving(node, `compare-${ids.join("-")}`, { found, rows: () => toRows(found, lang()) });
  answer.append(node);
}

/** Show what is chosen, each with a way to leave it out, and what may be added. */
function choose(ids, names, { least, most }) {
  const to = (rest) => local(rest.length ? `/compare?zones=${rest.join(",")}` : "/compare");
  const chips = ids.map((one) => {
    const label = t("compare.remove", { name: names.get(one) });
    const chip = piece("chosen", { name: names.get(one), "without:link": to(ids.filter((other) => other !== one)) });
    chip.querySelector("a").setAttribute("aria-label", label);
    return chip;
  });
  const form = byId("ask");
  form.parentElement.querySelector(".chosen").replaceChildren(...chips);
  if (ids.length) form.parentElement.querySelectorAll("h3, .examples, .suggested").forEach((one) => one.remove());
  if (ids.length >= most) return form.replaceWith(piece("full"));
  const selects = [...form.querySelectorAll("label")];
  for (const one of selects.slice(Math.max(least - ids.length, 1))) one.remove();
  for (const [index, one] of selects.entries()) one.firstChild.textContent = `${t("compare.add", { number: ids.length + index + 1 })} `;
  for (const option of form.querySelectorAll("option")) if (ids.includes(option.value)) option.remove();
  form.prepend(...ids.map((value) => el("input", { type: "hidden", name: "zones", value })));
}

/** Return the line of an industry: what the plan says of it for each place, or where else it stands. */
function industryLine(kind, row, ids, { answers }) {
  const head = piece(`${kind}:${row.id}`, { common: row.common });
  const instead = (one) => answers[one][row.id];
  const cell = (one) => el("td", {}, piece(instead(one) ? `also:${instead(one)}` : "not-listed"));
  const line = el("tr", {}, head, ids.map((one) => (one in row.cells ? piece(`${kind}:${row.id}:${one}`) : cell(one))));
  if (kind === "industry" && row.common) line.className = "common";
  return line;
}

function membershipsOf(id, rows) {
  const own = rows.filter((row) => id in row.cells);
  const entry = (row) => {
    const node = piece(`memberships:${row.id}:${id}`);
    if (row.common) node.className = "common";
    return node;
  };
  return el("td", {}, own.length ? el("ul", { class: "cell-list" }, own.map(entry)) : piece("none"));
}

/** List what the places have, gathered by those that have it. */
function fillList(section, name, groups, ids, names) {
  if (!groups.length) return;
  const title = (zones) => (zones.length === ids.length ? piece("common") : ids.filter((one) => zones.includes(one)).map((one) => names.get(one)).join(t("common.comma")));
  const entries = groups.map(({ zones, items }) =>
    el("div", zones.length === ids.length ? { class: "common" } : {}, el("dt", {}, title(zones)), el("dd", {}, el("ul", { class: "cell-list in-line" }, items.map((row) => piece(`${name}:${row.id}`))))),
  );
  section.append(el("dl", {}, entries));
  const missing = ids.filter((one) => !groups.some(({ zones }) => zones.includes(one)));
  section.append(...missing.map((one) => el("p", { class: "row-note", text: `${names.get(one)}${t("common.colon")}${section.dataset.empty}` })));
}

/* Look-up. */

const WORTH_SHOWING = 5;
const NAMED = 8; // things of a name, at most

async function showPlace(tables, query, answer) {
  bindForm({ crs: "CRS84" });
  const frames = createPositions(tables.frames);
  for (const option of byId("crs").options) if (!(option.value in frames)) option.remove();
  const text = query.get("at") ?? [query.get("lon"), query.get("lat")].filter(Boolean).join(", ");
  byId("at").value = text;
  if ((query.get("crs") ?? "CRS84") in frames) byId("crs").value = query.get("crs") ?? "CRS84";
  let position = null;
  try {
    position = parsePosition(query, frames);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.message === "error.at_unreadable") error.near.push(...(await findNamed(text, tables.gateways)));
    return showRefusal(error);
  }
  if (!position) return;
  const found = createLookup(tables)(...position);
  const { lon, lat } = found;
  const where = [t(`placing.where.${found.where}`)];
  if (found.where !== "city" && found.nearest) where.push(` ${t("placing.nearest")} `, piece(`link:${found.nearest.id}`), `, ${distance(found.nearest.distance_m)}`);
  const designated = found.applies.filter((row) => row.industries.length).map((row) => piece(`designated:${row.id}`, { near: row.status === "near" }));
  const node = piece("answer", {
    position: `${lon.toFixed(6)}, ${lat.toFixed(6)}`,
    where,
    likely: found.likely.filter((row) => row.places[0].likelihood_percent < 99.5).map(likelihoods),
    applies: found.applies.map(applied),
    designated,
    none_designated: !designated.length,
    areas: found.areas.length && found.areas.map((row) => piece(`area:${row.id}`, { near: row.status === "near", inside: row.status !== "near" })),
    gateways: found.gateways.map((row) => piece(`gateway:${row.id}`, { distance: distance(row.distance_m) })),
    positions: tables.shown.filter((name) => name in frames).map((name) => positionIn(name, frames[name], [lon, lat])),
    "here:link": local(`/lookup?lon=${lon}&lat=${lat}`),
  });
  if (!found.applies.length) node.querySelector("[aria-labelledby=applies]")?.remove();
  if (!found.areas.length) node.querySelector("[aria-labelledby=unbounded]")?.remove();
  bindSaving(node, "lookup", { found });
  answer.replaceChildren(node);
  Object.assign(answer.dataset, { point: JSON.stringify([lat, lon]), where: found.where, hits: JSON.stringify(hitsOf(found.likely)) });
  if (found.accuracy_m) answer.dataset.accuracy = found.accuracy_m;
  document.dispatchEvent(new Event("answered"));
}

/** Say beside the field of the position what is wrong with it. */
function showRefusal({ message, values, near }) {
  const links = near.map(({ label, href }) => el("li", {}, el("a", { href: local(href), text: label })));
  const said = piece("refused", { said: t(message, values), near: links.length && links });
  const field = byId("at");
  said.id = "at-error";
  field.after(said);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", "at-note at-error");
}

/** Return what bears a name, each with the look-up of its position, or else its page. */
async function findNamed(text, gateways) {
  const { results, near } = await answerOffline(text, lang());
  const points = new Map(gateways.map((row) => [row.head.id, row.at]));
  return [...results, ...near].slice(0, NAMED).map(({ id, name, url, at: own }) => {
    const position = own ?? points.get(id);
    return { label: name, href: position ? `/lookup?lon=${position[0]}&lat=${position[1]}` : url };
  });
}

function likelihoods({ layer, places, none_percent: none }) {
  const shown = places.filter((one) => one.likelihood_percent >= 1).map((one) => `${one.name[lang()]} ${chance(one.likelihood_percent)}`);
  if (none >= 0.5) shown.push(`${t("placing.in_none")} ${chance(none)}`);
  return el("p", { class: "said", text: `${t(`layer.${layer}`)}${t("common.colon")} ${shown.join(t("common.comma"))}` });
}

function applied(row) {
  return piece(`applies:${row.id}`, {
    status: t(row.spots.length ? "placing.somewhere" : `placing.${row.status}`),
    uncertain: row.uncertain,
    likelihood: chance(row.likelihood_percent),
    edge: row.spots.length ? "" : distance(row.distance_to_edge_m),
  });
}

function positionIn(name, frame, position) {
  const [x, y] = frame.project(position).map((value) => value.toFixed(frame.metric ? 0 : 6));
  return el("div", {}, el("dt", { text: t(`frame.${name}`) }), el("dd", { class: "figure", text: `${x}, ${y}` }));
}

/** Return what the small map lights up, as the server does: `rank` counts that the point is in none, too. */
function hitsOf(likely) {
  const rows = ["zones", "counties"].map((layer) => likely.find((row) => row.layer === layer)).filter(Boolean);
  for (const { places, none_percent } of rows) {
    const worth = places.filter((one) => one.likelihood_percent >= WORTH_SHOWING);
    if (!worth.length) continue;
    const rankOf = (chance, index) => index + (none_percent > chance ? 1 : 0);
    const ranked = worth.map(({ id, likelihood_percent }, index) => ({ id, rank: rankOf(likelihood_percent, index), likelihood_percent }));
    return ranked.filter(({ rank }) => rank <= 1);
  }
  return [];
}

function distance(metres) {
  if (metres >= 1000) return `${written(metres / 1000, metres >= 10000 ? 0 : 1)} ${t("unit.km")}`;
  return `${written(metres)} ${t("unit.m")}`;
}

function chance(value) {
  if (value === null) return t("placing.unsayable");
  if (value >= 99.5) return ">\u00a099%";
  return value < 1 ? "<\u00a01%" : `${written(value, 0)}%`;
}

/* Start: which page it is, and what it answers from. */

const PAGES = { find: showRanking, compare: showComparison, lookup: showPlace };

async function start(name) {
  const answer = byId("answer") ?? byId("lookup-answer");
  const query = new URLSearchParams(window.location.search);
  for (const link of document.querySelectorAll(".languages a")) link.search = window.location.search;
  try {
    const [tables] = await Promise.all([fetchJson(`/answers/${name}.json`), readPieces(name)]);
    await PAGES[name](tables, query, answer);
  } catch (error) {
    const known = error instanceof Refusal;
    answer.replaceChildren(known ? refused(error) : el("p", { class: "nothing", role: "alert", text: t("finding.failed") }));
    if (!known) throw error;
  }
}

start(/(\w+)(?:\.html)?$/.exec(window.location.pathname)[1]); // many hosts leave the ending out
