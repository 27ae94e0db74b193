/** Search among the names where the site is files: by any spelling, pinyin or initials, without a server. */

import { fetchJson } from "./data.js";

const [EXACT, START, WORD, PART, WORDS] = [0, 1, 2, 3, 4]; // how well a spelling fits, best first
const LONG_ENOUGH = 3; // letters that are looked for inside a word of an alphabet
const ALPHABET = /^[\p{Script=Latin}\d ]*$/u;
const read = new Map(); // names by language

/** Return `{q, results, near, said}` as the server's search does, the best results first. */
export async function searchNames(query, lang) {
  const { rows, variants, missing } = await readNames(lang);
  const wanted = fold([...query].map((letter) => variants[letter] ?? letter).join(""));
  const found = wanted ? rows.map((row) => ({ row, ...best(row.folded, wanted) })) : [];
  const hits = found.filter((hit) => hit.fit !== null).sort((one, other) => one.fit - other.fit || one.excess - other.excess);
  const results = hits.map(({ row, at }) => ({ ...row, match: row.spellings[at] }));
  return { q: query, results, near: [], said: results.length ? "" : missing.replace("{words}", query) };
}

async function readNames(lang) {
  if (!read.has(lang)) {
    const names = await fetchJson(`/names/${lang}.json`);
    for (const row of names.rows) row.folded = row.spellings.map(fold);
    read.set(lang, names);
  }
  return read.get(lang);
}

/** Return a text for comparison: lower case, no accents, Hangul in its letters, one space between words. */
function fold(text) {
  const letters = text.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "");
  return letters.replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

/** Return the spelling that fits best, by its place, and by how much it is longer than the query. */
function best(spellings, wanted) {
  const words = wanted.split(" ");
  let found = { fit: null, at: 0, excess: 0 };
  spellings.forEach((spelling, at) => {
    const fit = fitOf(spelling, wanted, words);
    const excess = spelling.length - wanted.length;
    if (fit !== null && (found.fit === null || fit < found.fit || (fit === found.fit && excess < found.excess)))
      found = { fit, at, excess };
  });
  return found;
}

function fitOf(spelling, wanted, words) {
  const [whole, asked] = [spelling, wanted].map((text) => text.replaceAll(" ", ""));
  if (whole === asked) return EXACT;
  if (whole.startsWith(asked)) return START;
  if (` ${spelling}`.includes(` ${wanted}`)) return WORD;
  const inside = !ALPHABET.test(wanted) || wanted.length >= LONG_ENOUGH;
  if (inside && spelling.includes(wanted)) return PART;
  return words.length > 1 && words.every((word) => ` ${spelling}`.includes(` ${word}`)) ? WORDS : null;
}
