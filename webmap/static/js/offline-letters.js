/** Texts for comparison, as layers/search/vocabulary.py has them: folded letters, stems, runs of one script. */

export const HANGUL = "\u1100"; // from here on folded letters are Korean
export const HAN = "\u2e80"; // and from here on Chinese
export const RUNS = /[㐀-䶿一-鿿]+|[\u1100-\u11ff]+|[^\s㐀-䶿一-鿿\u1100-\u11ff]+/gu;
const ONE_SCRIPT = /[㐀-鿿]+|[가-힣]+|(?:(?![㐀-鿿가-힣])[\p{L}\p{N}])+/gu;

export const squeeze = (folded) => folded.replaceAll(" ", "");
export const isLatin = (folded) => ![...folded].some((letter) => letter >= HANGUL);

/** Return the functions that the tables' rules define. */
export function createLetters({ rules, variants }) {
  const stems = rules.stems.map(([pattern, text]) => [new RegExp(pattern, "u"), text]);
  const shortest = rules.words.stem;

  /** Return the folded letters of one character; a space for what is neither letter nor figure. */
  function foldOne(character) {
    const letters = character.normalize("NFKD").toLowerCase().replaceAll("ß", "ss").normalize("NFKD");
    return [...letters]
      .map((letter) => rules.opened[letter] ?? letter)
      .join("")
      .replace(/\p{M}/gu, "")
      .replace(/[^\p{L}\p{N}]/gu, " ");
  }

  /** Return `text` for comparison: words of letters and figures, one space between them. */
  const fold = (text) => [...text].map(foldOne).join("").split(" ").filter(Boolean).join(" ");

  /** Return the folded letters of `text` without spaces, and the place of the character each comes from. */
  function trace(text) {
    const found = [...text].flatMap((character, at) => [...squeeze(foldOne(character))].map((letter) => [letter, at]));
    return [found.map(([letter]) => letter).join(""), found.map(([, at]) => at)];
  }

  function stem(word) {
    if (word.length < shortest || !/^[a-z]+$/.test(word)) return word;
    return stems.reduce((now, [pattern, text]) => now.replace(pattern, text), word);
  }

  const stemAll = (folded) => folded.split(" ").map(stem).join(" ");
  const simplify = (text) => [...text].map((letter) => variants[letter] ?? letter).join("");

  /** Return the runs of one script in `text`, with simplified characters, lower case and stems. */
  function tokenise(text) {
    return [...simplify(text).matchAll(ONE_SCRIPT)].map(({ 0: run, index }) => {
      const script = /^[㐀-鿿]/u.test(run) ? "han" : /^[가-힣]/u.test(run) ? "hangul" : "latin";
      const form = script === "latin" ? fold(run).split(" ").map(stem).join("") : run;
      return { form, script, start: index, end: index + run.length };
    });
  }

  return { fold, trace, stem, stemAll, simplify, tokenise };
}
