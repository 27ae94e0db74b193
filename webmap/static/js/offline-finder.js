/** Find what bears a name, as layers/search/finder.py does, and what a misspelt one may mean, as vocabulary.py does. */

import { compare } from "./offline-cutting.js";
import { HAN, HANGUL, RUNS, isLatin, squeeze } from "./offline-letters.js";

const [KNOWN, EMPTY, UNKNOWN] = ["known", "empty", "unknown"];
/* How well a query fits a key, best first. CORE: all but the empty words; HOLDS: the query contains the key. */
const [EXACT, CORE, START, WORD, PART, WORDS] = [0, 1, 2, 3, 4, 5];
export const HOLDS = 6;
const ONE_SYLLABLE = /^[ᄀ-ᄒ][ᅡ-ᅵ][ᄀ-ᄒ]{0,2}$/u;
const TONES = /(?<=[a-z])[1-5](?![0-9])/g;
const GRADES = 7; // bits of a key's grade; above them is whether its spelling is ours, and which answer it is
const OURS = 4;

/** Return `{understand, correct, near, missing, keys}` on the tables of layers/search/offline.py. */
export function createFinder(tables, letters) {
  const { rules, entries } = tables;
  const { grades, words: lengths, names: limits, typos: slips } = rules;
  const { fold, trace, stem, stemAll } = letters;
  const empty = new Set(tables.empty);
  const keys = readKeys();
  const exact = Map.groupBy(keys, (key) => key.squeezed);
  const spelt = new Set(keys.filter((key) => key.grade !== grades.initials).map((key) => key.squeezed));
  const longest = Math.max(...[...spelt].map((one) => one.length));

  /** Return every key; what the tables leave out follows from the spelling, or from the key before. */
  function readKeys() {
    const initialsOf = new RegExp(rules.initials, "gu");
    const found = [];
    const add = (key, text) => found.push({ ...key, text, squeezed: squeeze(text) });
    for (const [at, own] of tables.keys.entries()) {
      let [spelling, folded, sound] = ["", "", ""];
      for (const [marks, written, given] of own) {
        if (written) [spelling, folded] = [written, fold(written)];
        const flags = marks >> 3;
        const key = { at, grade: marks & GRADES, ours: Boolean(flags & OURS), how: flags & (OURS - 1), spelling };
        const initials = () => (folded.match(initialsOf) ?? sound.split(" ").map((word) => word[0])).join("");
        const text = given ?? (key.grade === grades.initials ? initials() : folded);
        sound = key.grade === grades.pinyin ? text : "";
        add(key, text);
        const stemmed = key.grade <= grades.term ? stemAll(text) : text;
        if (stemmed !== text) add(key, stemmed);
      }
    }
    return found;
  }

  /* How a query falls apart. */

  function kindOf(text) {
    for (const form of [squeeze(text), squeeze(stemAll(text))]) {
      if (empty.has(form)) return EMPTY;
      if (spelt.has(form)) return KNOWN;
    }
    return UNKNOWN;
  }

  /** Return a folded query as pieces, taking the longest known spelling at each place. */
  function split(folded) {
    const runs = folded.match(RUNS) ?? [];
    const pieces = [];
    for (let at = 0; at < runs.length; ) {
      let size = Math.min(lengths.window, runs.length - at);
      while (size && kindOf(runs.slice(at, at + size).join(" ")) === UNKNOWN) size--;
      const text = runs.slice(at, at + Math.max(size, 1)).join(" ");
      if (size) pieces.push({ text, kind: kindOf(text) });
      else if (isLatin(text)) pieces.push({ text, kind: UNKNOWN });
      else pieces.push(...splitRun(text));
      at += Math.max(size, 1);
    }
    return pieces.slice(0, lengths.pieces);
  }

  function splitRun(run) {
    const korean = run[0] < HAN;
    const pieces = [];
    let [rest, seen] = ["", false];
    for (let at = 0; at < run.length; ) {
      const end = endOf(run, at, korean ? lengths.hangul : lengths.han);
      if (end === null || (korean && rest)) {
        rest += run[at++];
        continue;
      }
      if (rest) pieces.push({ text: rest, kind: UNKNOWN });
      rest = "";
      const text = run.slice(at, end);
      pieces.push({ text, kind: kindOf(text) });
      [at, seen] = [end, true];
    }
    if (rest) pieces.push({ text: rest, kind: korean && seen && rest.length <= lengths.ending ? EMPTY : UNKNOWN });
    return pieces;
  }

  function endOf(run, at, shortest) {
    for (let end = Math.min(run.length, at + longest); end > at; end--) {
      const kind = kindOf(run.slice(at, end));
      if (kind === EMPTY || (kind === KNOWN && end - at >= shortest)) return end;
    }
    return null;
  }

  /* What it fits. */

  /** Return what answers a folded query, best first, and the pieces that it was taken for. */
  function understand(wanted) {
    if (!wanted) return { hits: [], pieces: [] };
    const hits = new Map();
    const ways = [];
    for (const form of new Set([wanted, wanted.replace(TONES, ""), stemAll(wanted)])) {
      ways.push(split(form));
      for (const hit of hitsOf(form, ways.at(-1))) {
        const known = hits.get(hit.key.at);
        if (!known || compare(hit.rank, known.rank) < 0) hits.set(hit.key.at, hit);
      }
    }
    // As it is typed, unless a stem is known: a misspelt word is compared letter by letter.
    const lost = (way) => way.filter((piece) => piece.kind === UNKNOWN).length;
    const pieces = ways.reduce((one, other) => (lost(other) < lost(one) ? other : one));
    return { hits: [...hits.values()].sort((one, other) => compare(one.rank, other.rank)), pieces };
  }

  function* hitsOf(wanted, pieces) {
    const told = pieces.filter((piece) => piece.kind !== EMPTY).map((piece) => piece.text);
    const core = told.join(" ");
    yield* whole(wanted, EXACT);
    yield* within(wanted);
    if (core !== wanted && /\p{L}/u.test(core)) {
      yield* whole(core, CORE);
      yield* within(core);
    }
    const weighty = told.filter((text) => text.length >= limits.weak);
    if (weighty.length > 1) yield* together(weighty);
    if (core.length <= limits.broken && core >= HAN) yield* broken(squeeze(core));
    if (told.length && pieces.length > 1)
      for (const piece of pieces) if (piece.kind === KNOWN && piece.text.length >= limits.weak) yield* whole(piece.text, HOLDS);
  }

  function* whole(text, fit) {
    for (const form of new Set([text, stemAll(text)]))
      for (const key of exact.get(squeeze(form)) ?? [])
        if (fit === EXACT || key.grade !== grades.initials) yield hit(fit, key, fit === HOLDS ? -key.squeezed.length : 0, [text]);
  }

  function* within(wanted) {
    const asked = squeeze(wanted);
    const closed = ONE_SYLLABLE.test(asked);
    const generic = split(wanted).every((piece) => piece.kind === EMPTY);
    if (!asked) return;
    for (const key of keys) {
      if (!key.squeezed.includes(asked)) continue;
      const fit = fitOf(key, wanted, asked);
      if (fit === null) continue;
      if ((closed || (fit === PART && wanted[0] < HAN)) && !hasSyllables(key, asked)) continue;
      const far = asked.length < limits.close * key.squeezed.length || entries[key.at].rank >= limits.far;
      yield hit(generic ? PART : fit, key, Number(far), [wanted]);
    }
  }

  function fitOf(key, wanted, asked) {
    if (key.squeezed.startsWith(asked)) return START;
    if (key.grade === grades.initials) return null;
    if (` ${key.text}`.includes(` ${wanted}`) || (isLatin(key.text) && startsWord(key, asked))) return WORD;
    return isLatin(asked) ? null : PART;
  }

  function startsWord(key, asked) {
    const words = key.text.split(" ");
    return words.some((_, at) => at > 0 && words.slice(at).join("").startsWith(asked));
  }

  /** Return whether a query stands in a Korean spelling as whole syllables. */
  function hasSyllables(key, asked) {
    const [text, origin] = trace(key.spelling);
    for (let at = text.indexOf(asked); at >= 0; at = text.indexOf(asked, at + 1)) {
      const end = at + asked.length;
      const starts = at === 0 || origin[at] !== origin[at - 1];
      if (starts && (end === text.length || origin[end] !== origin[end - 1])) return true;
    }
    return false;
  }

  /** Yield, for every entry that has all the words in whatever order, the keys with how many they have. */
  function* together(told) {
    const having = told.map((word) => new Set(keys.filter((key) => hasWord(key, word))));
    const shared = having.map((some) => new Set([...some].map((key) => key.at))).reduce((one, other) => one.intersection(other));
    for (const key of keys.filter((one) => having.some((some) => some.has(one)))) {
      const count = having.filter((some) => some.has(key)).length;
      if (shared.has(key.at)) yield hit(WORDS, key, -count, told);
    }
  }

  const hasWord = (key, word) => (isLatin(word) ? ` ${key.text}`.includes(` ${word}`) : key.squeezed.includes(word));

  /** Yield the keys that have the query in two parts with something between. */
  function* broken(core) {
    const cuts = Array.from({ length: Math.max(core.length - 2 * limits.weak + 1, 0) }, (_, at) => at + limits.weak);
    for (const key of cuts.length ? keys : []) {
      const inside = (at) => key.squeezed.indexOf(core.slice(0, at));
      if (cuts.some((at) => inside(at) >= 0 && key.squeezed.includes(core.slice(at), inside(at) + at))) yield hit(WORDS, key, 0, [core]);
    }
  }

  function hit(fit, key, first, needles) {
    const { rank } = entries[key.at];
    const titled = key.grade && rank >= limits.far && fit < START; // the title of a clause is our own
    const place = titled ? [START, 1] : [fit, first];
    return { key, needles, rank: [place[0], Number(key.grade === grades.initials), place[1], rank, key.grade, key.squeezed.length, key.at] };
  }

  /** Return whether a query stands for a spelling, where it is less than it: gold for no golden coast. */
  function isMeant({ key, rank, needles }) {
    const [fit, wanted] = [rank[0], needles[0]];
    if (fit !== START && fit !== WORD) return fit < START || fit === HOLDS || (fit === WORDS && [0, -needles.length].includes(rank[2]));
    const asked = squeeze(wanted);
    if (key.grade === grades.pinyin && wanted < HAN) {
      const words = key.text.split(" ");
      return fit === START && words.some((_, at) => at > 0 && words.slice(0, at + 1).join("") === asked);
    }
    if (fit === START && ((wanted >= HAN && asked.length > 1) || asked.length >= limits.close * key.squeezed.length)) return true;
    if (!isLatin(wanted)) return fit === START && key.grade <= grades.alias;
    const name = ` ${key.text} `;
    const words = name.includes(` ${wanted} `) && (fit === START || wanted.includes(" ") || name.endsWith(` ${wanted} `));
    return key.grade <= grades.alias && words;
  }

  /** Return the pieces that the best hit does not answer. */
  function missing(hits, pieces) {
    if (hits.length && hits[0].rank[0] < HOLDS) return [];
    return pieces.filter((piece) => piece.kind === UNKNOWN).map((piece) => piece.text);
  }

  /* What a misspelt one may mean. */

  const ordinary = new Set(slips.spelt.map(stem)); // words that are spelt right
  let spellings = null;

  /** Return every spelling that a slip may have left, the most telling first. */
  function readSpellings() {
    const written = keys.filter((key) => key.grade !== grades.initials && (key.grade !== grades.pinyin || !key.ours));
    written.sort((one, other) => compare([entries[one.at].rank, one.grade], [entries[other.at].rank, other.grade]));
    const found = { wholes: new Map(), words: new Set(), hangul: new Map(), stems: new Set(ordinary), names: new Map() };
    for (const key of written) {
      const long = key.text.split(" ").filter((word) => word.length >= slips.shortest);
      if (!found.wholes.has(key.squeezed)) found.wholes.set(key.squeezed, key);
      for (const word of long) found.words.add(word);
      for (const word of key.text.split(" ")) found.stems.add(stem(word));
      if (key.text >= HANGUL && key.text < HAN)
        for (const word of key.spelling.split(/\s+/)) found.hangul.set(fold(word), word);
      if (key.grade <= grades.term && entries[key.at].rank < limits.far)
        for (const text of [key.squeezed, ...long]) if (!found.names.has(text)) found.names.set(text, key);
    }
    return found;
  }

  /** Return a query with its unknown pieces put right, `{meant, shown}`: folded, and as it is written. */
  function correct(pieces) {
    spellings ??= readSpellings();
    const told = pieces.filter((piece) => piece.kind !== EMPTY).map((piece) => piece.text);
    const right = pieces.some(({ kind, text }) => kind === UNKNOWN && ordinary.has(stem(text)));
    const nearest = right ? null : nearestOf(squeeze(told.join(" ")), spellings.wholes.keys());
    if (nearest) return { meant: spellings.wholes.get(nearest).text, shown: spellings.wholes.get(nearest).spelling };
    const unknown = pieces.filter((piece) => piece.kind === UNKNOWN).slice(0, slips.most);
    const fixed = new Map(unknown.map(({ text }) => [text, fix(text)]).filter(([, found]) => found));
    if (!fixed.size) return { meant: "", shown: "" };
    const meant = told.map((text) => fixed.get(text) ?? text).join(" ");
    return { meant, shown: meant.split(" ").map((word) => spellings.hangul.get(word) ?? word).join(" ") };
  }

  function fix(text) {
    if (text >= HAN) return sameSound(text);
    if (spellings.stems.has(stem(text))) return null;
    const word = nearestOf(text, spellings.words);
    if (word) return word;
    const found = nearestOf(squeeze(text), spellings.wholes.keys());
    return found && spellings.wholes.get(found).text;
  }

  let sounds = null;

  /** Return the known spelling that sounds like `text`. */
  function sameSound(text) {
    if (text.length < slips.han) return null;
    sounds ??= new Map(Object.entries(tables.sounds).flatMap(([sound, all]) => [...all].map((one) => [one, sound])));
    const pinyin = [...text].map((letter) => sounds.get(letter) ?? letter).join("");
    const key = (exact.get(squeeze(pinyin)) ?? []).find((one) => one.grade === grades.pinyin);
    return key ? fold(key.spelling) : null;
  }

  function nearestOf(text, choices) {
    const allowed = slipsIn(text);
    if (!allowed) return null;
    const near = rankBy(choices, (one) => distance(text, one, allowed), (found) => found <= allowed);
    if (near.some(([, found]) => !found)) return null; // spelt as it should be, if only as a part of a name
    return near.find(([one]) => mayBeMeant(text, one))?.[0] ?? null;
  }

  /** Return whether a slip may have made `text` of `one`: coal is no coat. */
  function mayBeMeant(text, one) {
    const sorted = (word) => [...word].sort().join("");
    const same = sorted(text.replaceAll("v", "u")) === sorted(one);
    if (one[0] !== text[0] && !same) return false;
    return text.length >= slips.sure || text.length !== one.length || same;
  }

  /** Return the first few choices that `keep` lets through, with their measure, smallest first. */
  function rankBy(choices, measure, keep) {
    const found = [...choices].map((one) => [one, measure(one)]).filter(([, value]) => keep(value));
    return found.sort((one, other) => one[1] - other[1]).slice(0, slips.near);
  }

  /** Return how many letters of `text` may be wrong, missing, added or swapped. */
  function slipsIn(text) {
    if (!text || [...text].some((letter) => letter >= HAN) || /\p{N}/u.test(text)) return 0;
    const [shortest, long] = isLatin(text) ? [slips.shortest, slips.long] : [slips.shortestHangul, slips.hangul];
    return text.length < shortest ? 0 : text.length < long ? 1 : 2;
  }

  /** Return the keys of the names that come nearest to what is not known. */
  function near(pieces) {
    spellings ??= readSpellings();
    const scored = new Map();
    for (const { text } of pieces.filter((piece) => piece.kind === UNKNOWN).slice(0, slips.most))
      for (const [found, score] of similar(text)) {
        const key = spellings.names.get(found);
        const known = scored.get(key.at);
        if (!known || score > known.score || (score === known.score && key.spelling > known.key.spelling)) scored.set(key.at, { score, key });
      }
    const ranked = [...scored.values()].sort((one, other) => other.score - one.score).slice(0, slips.near);
    return ranked.map(({ key }) => key);
  }

  function similar(text) {
    const choices = [...spellings.names.keys()];
    if (isLatin(text)) {
      if (text.length <= slips.shortest) return [];
      const unlike = (one) => distance(text, one, Infinity) / Math.max(text.length, one.length);
      return rankBy(choices, unlike, (found) => 1 - found >= slips.similarity).map(([one, found]) => [one, 1 - found]);
    }
    const size = text[0] >= HAN ? 2 : slips.shortest;
    const parts = new Set(Array.from({ length: Math.max(text.length - size + 1, 0) }, (_, at) => text.slice(at, at + size)));
    const shared = choices.map((one) => [one, [...parts].filter((part) => one.includes(part)).length]);
    return shared.filter(([, count]) => count).map(([one, count]) => [one, count / (parts.size + one.length)]);
  }

  return { understand, correct, near, isMeant, missing, grades, keys };
}

/** Return how many letters differ between two texts, neighbours that changed places counting once. */
function distance(one, other, most) {
  if (Math.abs(one.length - other.length) > most) return Infinity;
  let [before, above] = [[], Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let at = 1; at <= other.length; at++) {
      const changed = above[at - 1] + Number(one[row - 1] !== other[at - 1]);
      now[at] = Math.min(changed, above[at] + 1, now[at - 1] + 1);
      const swapped = row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1];
      if (swapped) now[at] = Math.min(now[at], before[at - 2] + 1);
    }
    [before, above] = [above, now];
  }
  return above[other.length];
}
