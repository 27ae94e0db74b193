/**
 * Answers of the search where the site is files: what layers/search does, on the tables that
 * layers/search/offline.py writes. The spellings, words, patterns and limits are all in the tables: what is
 * alike in every language in one, names and sentences of the page's language in the other.
 */

import { createCutting } from "./offline-cutting.js";
import { createLetters, squeeze } from "./offline-letters.js";
import { HOLDS, createFinder } from "./offline-finder.js";

const [EXACT, START] = [0, 2];
const SYNONYM = { named: 0, synonym: 1 }; // how a result of an industry is told; 2: otherwise
const NEAREST = 3; // to what the plan has no industry for

/** Return a function from a query to `{q, answer, results, near, missing, unused, corrected, said}`. */
export function createAnswering(shared, spoken) {
  const [entries, answers] = ["entries", "told"].map((name) => shared[name].map((row, at) => ({ ...row, ...spoken[name][at] })));
  const tables = { ...shared, entries, told: answers };
  const { rules } = tables;
  const { says } = spoken;
  const letters = createLetters(tables);
  const { understand, correct, near, isMeant, missing, grades, keys } = createFinder(tables, letters);
  const cutting = createCutting(tables, letters, keys);
  const places = new Set(rules.names.places);

  function answer(typed) {
    const query = [...typed].slice(0, rules.names.query).join("");
    const wanted = letters.fold(letters.simplify(query));
    let { hits, pieces } = understand(wanted);
    const asked = cutting.ask(query);
    let reply = asked ? withoutOwn(hits, namedBy(hits, asked, query)) : replyOf(hits, pieces, query);
    const lacking = cutting.nearestTo(query);
    // A terminal for gas is no card terminal; no page finds a site for steel.
    if (lacking !== undefined && (cutting.lacksIndustry(query) || (reply && answers[reply.told.at].kind === "page"))) [hits, reply] = [[], null];
    // Tobacco is not found where e-cigarettes are, which is a word of ours.
    if (!reply && hits.every((hit) => hit.key.ours && isPart(hit, lacking === undefined ? START : EXACT))) hits = [];
    let lost = reply ? reply.unknown : hits.length ? missing(hits, pieces) : cutting.unknown(query);
    let corrected = null;
    const nothing = () => !hits.length && !reply;
    const nearest = nothing() ? lacking : undefined;
    if (wanted && nearest === undefined && (lost.length || nothing())) {
      const { meant, shown } = correct(pieces);
      const again = understand(meant);
      const other = cutting.ask(shown) ?? replyOf(again.hits, again.pieces, shown);
      const left = other ? other.unknown : missing(again.hits, again.pieces);
      const same = !(reply && other) || answers[reply.told.at].industry === answers[other.told.at].industry; // a charter is no charger
      if (again.hits.length && (nothing() || (same && left.length < lost.length))) [hits, reply, lost, corrected] = [again.hits, other, left, shown];
    }
    const similar = nearest === undefined && (lost.length || nothing()) ? near(pieces) : [];
    const results = resultsOf(hits, reply);
    const shown = new Set(results.map((row) => `${row.layer}/${row.id}`));
    const found = {
      q: typed,
      answer: reply ? answers[reply.told.at] : null,
      results,
      near: nearest !== undefined ? [{ ...say(entries[nearest], NEAREST, entries[nearest].name), how: "nearest" }] : similar.map((key) => resultOf({ key })).filter((row) => !shown.has(`${row.layer}/${row.id}`)),
      missing: lost.map((piece) => asTyped(query, piece)),
      unused: reply ? reply.unused : [],
      corrected,
    };
    return { ...found, said: [notice(found), reply ? tell(reply.told) : ""].filter(Boolean).join(" ") };
  }

  /** Return whether a query is less than a spelling: a word of it, even the first. */
  const isPart = ({ key, rank, needles }, fit) => rank[0] > fit || (rank[0] === START && key.text.startsWith(`${needles[0]} `));

  /** Return the answer with what a word begins the name of, where the plan only prints it. */
  function namedBy([best], reply, query) {
    const own = answers[reply.told.at];
    if (!best || own.kind !== "printed" || own.industry || own.entry !== undefined) return reply;
    const { key, rank } = best;
    const { layer, told } = entries[key.at];
    if (rank[0] > START || key.grade > grades.alias || layer === "clauses") return reply;
    if (places.has(layer) && told !== undefined) return { ...reply, told: { at: told, word: query } };
    return { ...reply, told: { ...reply.told, entry: key.at } };
  }

  /** Return the answer without leaving over what names of the operator's own have, that are found too. */
  function withoutOwn(hits, reply) {
    const needles = hits.filter(({ key }) => entries[key.at].layer === "own").flatMap((hit) => hit.needles);
    const left = (words) => words.filter((word) => !needles.some((needle) => needle.includes(letters.fold(letters.simplify(word)))));
    return { ...reply, unused: left(reply.unused), unknown: left(reply.unknown) };
  }

  /** Return the answer to what was found by pinyin, initials, or the beginning of a name. */
  function replyOf(hits, pieces, query) {
    if (!hits.length || missing(hits, pieces).length) return null;
    const whole = ({ key, rank }) => key.grade >= grades.pinyin && rank[0] === EXACT;
    const key = hits.find((hit) => isMeant(hit) && (!hit.key.ours || whole(hit)))?.key;
    if (!key) return null;
    const nothing = { others: [], unused: [], unknown: [] };
    const reply = key.grade >= grades.term ? cutting.ask(key.spelling) : null;
    if (reply) return { told: reply.told, ...nothing };
    const { told } = entries[key.at];
    return told === undefined ? null : { told: { at: told, word: query }, ...nothing };
  }

  /** Return the entries that were found, those that the answer speaks of before the others. */
  function resultsOf(hits, reply) {
    const page = reply && answers[reply.told.at].page;
    if (page) return [page];
    const left = new Map(hits.map((hit) => [hit.key.at, hit]));
    const leading = reply ? [reply.told, ...reply.others].flatMap((told) => (told.entry === undefined ? [] : [told.entry]).concat(answers[told.at].led)) : [];
    const rows = [...new Set(leading)].map((at) => {
      const hit = left.get(at);
      left.delete(at);
      return hit ? resultOf(hit) : entryOf(at, reply.told.at);
    });
    if (rows.length && rows[0].layer === "industries") rows[0] = entryOf(leading[0], reply.told.at, rows[0].match);
    return [...rows, ...[...left.values()].slice(0, rules.names.limit).map(resultOf)].slice(0, rules.names.limit);
  }

  const resultOf = ({ key }) => say(entries[key.at], key.how, key.spelling);
  const entryOf = (at, told = -1, match = entries[at].name) => say(entries[at], SYNONYM[answers[told]?.kind] ?? 2, match);

  function say(entry, how, match) {
    const { says: said } = entry;
    return { ...entry, says: Array.isArray(said) ? said[how] : said, match };
  }

  /** Return the sentence that must stand above the results: what was not found or used, or put right. */
  function notice({ answer: told, missing: lost, unused, corrected, results }) {
    if (!corrected && lost.length && !told) return fill(says.missing, { words: quoted(lost) });
    const said = corrected ? [fill(says.corrected, { words: corrected })] : [];
    if (unused.length) said.push(fill(says.unused, { words: quoted(unused) }));
    if (told?.kind === "page" && !told.page) said.push(says.no_page);
    return said.length || told || !results.length || isNumber(results[0]) ? said.join(" ") : says.only_names;
  }

  /** Whether a clause was found by its number. */
  const isNumber = ({ layer, name, zh, match }) => layer === "clauses" && (name + zh).includes(`${match} `);

  const quoted = (words) => [...new Set(words)].map((word) => fill(says.quoted, { word })).join(says.comma);

  function tell({ at, word }) {
    const { tells = "", same = tells.length, printed } = answers[at];
    const alike = typeof same === "number" ? tells.slice(0, same) : same;
    return fill(word === printed ? alike : tells, { word, printed });
  }

  /** Return the part of the query that a folded piece comes from. */
  function asTyped(query, piece) {
    const [text, origin] = letters.trace(query);
    const at = text.indexOf(squeeze(piece));
    return at < 0 ? piece : [...query].slice(origin[at], origin[at + squeeze(piece).length - 1] + 1).join("");
  }

  return answer;
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
