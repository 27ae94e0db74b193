/** Cut a question into words that the plan or our synonyms know, as layers/search/replies.py does. */

/** Return `{ask, unknown, lacksIndustry, nearestTo}` on the tables that layers/search/offline.py writes, and the keys in them. */
export function createCutting(tables, letters, keys) {
  const { rules, told: answers, terms, entries } = tables;
  const { strong: STRONG, weak: WEAK, stop: STOP, unknown: UNKNOWN } = rules.weights;
  const [latin, heads] = [tables.latin, tables.heads].map((table) => new Map(Object.entries(table)));
  const nearest = new Map(Object.entries(tables.nearest));
  const ends = new Set(tables.ends.map(([end]) => end));
  const formOf = (tokens) => tokens.map((token) => token.form).join("");
  const read = (marks) => [marks & 3, marks >> 3, (marks >> 2) & 1];
  const forms = new Map(Object.entries(tables.forms).map(([form, marks]) => [form, read(marks)]));
  for (const { at, grade, ours, spelling } of keys) {
    const form = ours && grade === rules.grades.term ? formOf(letters.tokenise(spelling)) : "";
    if (form && !forms.has(form)) forms.set(form, read(entries[at].form));
  }
  const hangul = [...forms].filter(([form, [, best]]) => best >= 0 && /^[가-힣]/u.test(form)).map(([form]) => form).sort(byCode);
  const code = new RegExp(`^(?:${rules.code})$`, "u");
  const { window: WINDOW, longest: LONGEST, shortest } = rules.answers;

  const weightOf = (form) => forms.get(form)?.[0];
  const isWeak = (form) => [WEAK, STOP].includes(weightOf(form));
  const known = (form) => (forms.get(form)?.[1] ?? -1) >= 0;

  /** Return the place of the most telling of answers; -1 for none. */
  function best(places) {
    return places.filter((at) => at >= 0).reduce((one, other) => (one < 0 || answers[other].telling < answers[one].telling ? other : one), -1);
  }

  const bestOfTerms = (places) => best([...places].sort((one, other) => one - other).map((at) => terms[at][2]));

  /** Return `{told, others, unused, unknown}` for a question, null where none of its words is known. */
  function ask(query) {
    let tokens = letters.tokenise(query);
    const form = formOf(tokens);
    if (!form) return null;
    let whole = wholeOf(form, tokens);
    if (whole < 0) whole = turnedRound(tokens);
    if (whole >= 0) return reply(whole, query, described(whole, query, tokens));
    const pieces = piecesOf(query, tokens);
    const core = pieces.filter((piece) => piece.weight !== STOP);
    if (core.length && core.length < pieces.length) {
      const text = query.slice(core[0].start, core.at(-1).end);
      tokens = letters.tokenise(text);
      whole = wholeOf(formOf(tokens), tokens);
      if (whole >= 0) return reply(whole, text, described(whole, text, tokens));
    }
    return weigh(query, pieces);
  }

  const reply = (at, word, others = [], unused = [], unknown = []) => ({ told: { at, word }, others, unused, unknown });

  /** Return whether a question is something that the plan has no industry for: whole, or its last word. */
  function lacksIndustry(query) {
    const tokens = letters.tokenise(query);
    const last = piecesOf(query, tokens).findLast((piece) => piece.weight !== STOP);
    const named = last ? formOf(letters.tokenise(query.slice(last.start, last.end))) : "";
    return nearest.has(formOf(tokens)) || (!known(formOf(tokens)) && nearest.has(named));
  }

  /** Return the entry of the industry that is nearest to a thing in a question that the plan has none for. */
  function nearestTo(query) {
    const tokens = letters.tokenise(query);
    for (let size = Math.min(WINDOW, tokens.length); size > 0; size--) {
      for (let at = 0; at + size <= tokens.length; at++) {
        const found = nearest.get(formOf(tokens.slice(at, at + size)));
        if (found !== undefined) return found;
      }
    }
    const runs = tokens.filter((token) => token.script !== "latin").map((token) => token.form);
    const longest = [...nearest].sort(([one], [other]) => other.length - one.length || byCode(one, other));
    return longest.find(([form]) => runs.some((run) => run.includes(form)))?.[1];
  }

  /** Return the words of a text that have no meaning here, as they are typed. */
  function unknown(query) {
    const pieces = piecesOf(query, letters.tokenise(query));
    return pieces.filter((one) => ![STRONG, STOP].includes(one.weight)).map((one) => query.slice(one.start, one.end));
  }

  /** Return what the plan says of a word inside a synonym: of the cold chain, for its warehouse. */
  function described(whole, text, tokens) {
    if (answers[whole].kind !== "synonym") return [];
    const found = tokens.slice(0, -1).map((_, at) => windowOf(tokens.slice(at, -1)).told);
    return found
      .filter((at) => at >= 0 && rules.kinds.includes(answers[at].kind) && answers[at].industry === answers[whole].industry)
      .map((at) => ({ at, word: answers[at].printed ?? text }));
  }

  /** Return the answer to a text that is one spelling, a code, or words of one term. */
  function wholeOf(form, tokens) {
    const coded = codeOf(form);
    if (coded >= 0) return coded;
    const own = known(form) ? forms.get(form) : withoutParticle(form);
    const found = own ? [own[1]] : [];
    if (!own || (tokens.length > 1 && own[2])) found.push(bestOfTerms(inside(tokens)));
    return best(found);
  }

  /** Return the answer to a spelling whose words stand round a preposition: repair of ships. */
  function turnedRound(tokens) {
    const at = tokens.findIndex((token) => rules.prepositions.includes(token.form));
    if (at < 0) return -1;
    const words = [...tokens.slice(at + 1), ...tokens.slice(0, at)].filter((token) => weightOf(token.form) !== STOP);
    return forms.get(formOf(words))?.[1] ?? -1;
  }

  function withoutParticle(form) {
    const particle = rules.particles.find((one) => form.endsWith(one) && form.length > one.length && known(form.slice(0, -one.length)));
    return particle === undefined ? null : forms.get(form.slice(0, -particle.length));
  }

  /** Return the terms that have all the words of a text, none of which may be unknown or weak alone. */
  function inside(tokens) {
    const scripts = new Set(tokens.map((token) => token.script));
    const words = tokens.map((token) => token.form);
    if (scripts.size === 1 && scripts.has("latin")) {
      const core = words.filter((word) => weightOf(word) !== STOP);
      return insideLatin(core.length > 1 || core.length === words.length ? core : []);
    }
    const form = words.join("");
    if (scripts.has("latin") || form.length < shortest.han || isWeak(form)) return [];
    if (scripts.has("han") && cut(tokens).some((piece) => piece.weight === UNKNOWN)) return [];
    const begun = new RegExp(words.map((word) => `(?:^| )${[...word].join(" ?")}`).join(".*")); // 마트 is no part of 스마트
    const fits = tokens[0].script === "han" ? ([zh]) => has(zh, words) : ([, ko]) => begun.test(ko);
    return terms.flatMap((term, at) => (fits(term) ? [at] : []));
  }

  function insideLatin(words) {
    if (words.length > 1) return words.map((word) => latin.get(word) ?? []).reduce((one, other) => one.filter((at) => other.includes(at)));
    if (!words.length || words[0].length < shortest.latin || isWeak(words[0])) return [];
    return heads.get(words[0]) ?? [];
  }

  /** Return the answer of an industry that has a code, or that a class of it belongs to. */
  function codeOf(form) {
    const found = code.exec(form);
    if (!found) return -1;
    const [, scheme, , figures] = found;
    const [whole, begun] = tables.codes[scheme === "isic" ? "isic" : scheme ? "gb" : ""];
    for (let size = figures.length; size > 1; size--) {
      const own = whole[figures.slice(0, size)];
      if (own !== undefined) return own;
    }
    return begun[figures] ?? -1;
  }

  /** Return a text as pieces, longest spellings over several tokens first. */
  function cut(tokens) {
    const pieces = [];
    for (let at = 0; at < tokens.length; ) {
      const { size, told, weight } = windowOf(tokens.slice(at));
      const { start } = tokens[at];
      if (size) pieces.push({ told, weight, start, end: tokens[at + size - 1].end });
      else if (tokens[at].script === "latin") pieces.push(unknownOf(tokens[at]));
      else pieces.push(...segment(tokens[at]));
      at += Math.max(size, 1);
    }
    return pieces;
  }

  /** Return the pieces of a text; what is unknown is known by how it ends, if it is long enough. */
  function piecesOf(query, tokens) {
    const pieces = joinEnds(query, joinUnknown(query, cut(tokens)));
    for (const [at, piece] of pieces.entries()) {
      if (piece.weight !== UNKNOWN) continue;
      const last = pieces[at - 1] ?? piece;
      const start = last.end === piece.start && last.weight !== STOP ? last.start : piece.start;
      const form = formOf(letters.tokenise(query.slice(start, piece.end)));
      const told = form.length < shortest.ended ? undefined : tables.ends.find(([end]) => form.endsWith(end))?.[1];
      if (told !== undefined) pieces[at] = { told, weight: STRONG, start, end: piece.end };
    }
    return pieces;
  }

  /** Return pieces with the unknown words before one that tells what they are joined to it: a cutting machine. */
  function joinEnds(query, pieces) {
    const joined = [];
    const loose = pieces.some((piece) => piece.weight === STRONG) ? [UNKNOWN] : [UNKNOWN, WEAK];
    for (const piece of pieces) {
      let { start } = piece;
      if (piece.weight === WEAK && ends.has(formOf(letters.tokenise(query.slice(start, piece.end)))))
        while (loose.includes(joined.at(-1)?.weight)) ({ start } = joined.pop());
      joined.push(start < piece.start ? { told: -1, weight: UNKNOWN, start, end: piece.end } : piece);
    }
    return joined;
  }

  function windowOf(tokens) {
    for (let size = Math.min(WINDOW, tokens.length); size > 0; size--) {
      const form = formOf(tokens.slice(0, size));
      const coded = /^\d+$/.test(form) ? -1 : codeOf(form); // a figure alone may be an amount
      if (coded >= 0) return { size, told: coded, weight: STRONG };
      if (nearest.has(form)) return { size, told: -1, weight: UNKNOWN }; // 재활용 is not what 재활 is for
      if (forms.has(form)) return { size, told: forms.get(form)[1], weight: weightOf(form) };
      const own = tokens[size - 1].script === "hangul" ? withoutParticle(form) : null;
      if (own) return { size, told: own[1], weight: weightWithoutParticle(form) };
    }
    return { size: 0, told: -1, weight: UNKNOWN };
  }

  function weightWithoutParticle(form) {
    const particle = rules.particles.find((one) => form.endsWith(one) && forms.has(form.slice(0, -one.length)));
    return particle === undefined ? UNKNOWN : weightOf(form.slice(0, -particle.length));
  }

  /** Return a word of an alphabet that is no spelling: a word of some term, or unknown. */
  function unknownOf({ form, start, end }) {
    const told = form.length >= shortest.latin ? bestOfTerms(heads.get(form) ?? []) : -1;
    return { told, weight: latin.has(form) ? WEAK : UNKNOWN, start, end };
  }

  /** Return the pieces of a run without spaces: fewest letters unknown, then fewest pieces. */
  function segment({ form: text, script, start: offset, end: last }) {
    const korean = script === "hangul";
    const ways = [[0, 0, 0]]; // letters unknown, pieces, where the last one starts
    for (let end = 1; end <= text.length; end++) {
      let way = [ways[end - 1][0] + 1, ways[end - 1][1] + 1, end - 1];
      for (let start = Math.max(0, end - LONGEST); start < end; start++) {
        if (!mayStand(text, start, end, korean)) continue;
        const other = [ways[start][0], ways[start][1] + 1, start];
        if (compare(other, way) < 0) way = other;
      }
      ways.push(way);
    }
    if (korean && ways.at(-1)[0] === text.length) return [begun(text, offset, last)];
    const cuts = [text.length];
    while (cuts.at(-1)) cuts.push(ways[cuts.at(-1)][2]);
    cuts.reverse();
    let gone = false;
    return cuts.slice(1).map((end, at) => {
      const ends = korean && gone && end - cuts[at] < shortest.begun && !rules.particles.includes(text.slice(cuts[at], end));
      const stands = mayStand(text, cuts[at], end, korean) && !ends;
      gone ||= !stands;
      const [weight, told] = (stands && forms.get(text.slice(cuts[at], end))) || [stands ? STOP : UNKNOWN, -1];
      return { told, weight, start: offset + cuts[at], end: offset + end };
    });
  }

  /** Return a Korean word as the beginning of a longer one that is known. */
  function begun(text, start, end) {
    const longer = hangul.find((form) => form >= text) ?? "";
    if (text.length < shortest.begun || !longer.startsWith(text)) return { told: -1, weight: UNKNOWN, start, end };
    const [weight, told] = forms.get(longer);
    if (told < 0 || answers[told].kind === "synonym") return { told: -1, weight: UNKNOWN, start, end }; // concrete is no concrete mixer
    return { told, weight, start, end };
  }

  function mayStand(text, start, end, korean) {
    const form = text.slice(start, end);
    if (korean && end === text.length && start && rules.particles.includes(form)) return true;
    if (!forms.has(form)) return false;
    return form.length > 1 || (weightOf(form) === STOP && !korean);
  }

  /** Return pieces with what is unknown joined to weak words that touch it, but for those that say what for. */
  function joinUnknown(query, pieces) {
    const joined = [];
    const apart = ({ weight, start, end }) => weight === WEAK && Object.hasOwn(tables.turns, formOf(letters.tokenise(query.slice(start, end))));
    for (const piece of pieces) {
      const last = joined.at(-1);
      const pair = last && last.end === piece.start ? [last, piece] : [];
      const loose = pair.every(({ weight }) => [UNKNOWN, WEAK].includes(weight)) && !pair.some(apart);
      if (loose && pair.some(({ weight }) => weight === UNKNOWN))
        joined[joined.length - 1] = { told: -1, weight: UNKNOWN, start: last.start, end: piece.end };
      else joined.push(piece);
    }
    return joined;
  }

  /** Return the answer of the word that matters most, the others beside it. */
  function weigh(query, all) {
    const of = (weight, pieces) => pieces.filter((piece) => piece.weight === weight);
    const pieces = of(STRONG, all).length ? all.filter((one) => one.weight !== UNKNOWN || one.end - one.start > 1) : all;
    const lost = of(UNKNOWN, pieces);
    let used = of(STRONG, pieces);
    if (!used.length && !lost.length) used = of(WEAK, pieces).filter((one) => one.told >= 0);
    if (!used.length && !lost.length) used = pieces.filter((one) => one.told >= 0);
    const found = used.filter((piece) => piece.told >= 0);
    if (!found.length) return null;
    if (!lost.length && found.every(({ told }) => ["kind", "place"].includes(answers[told].kind))) // zones for electronics
      found.unshift(...of(WEAK, pieces).filter(({ told }) => told >= 0 && (answers[told].industry || answers[told].kind === "place")));
    const head = placed(headOf(query, found), found);
    const turn = turnOf(query, all, head);
    if (turn) found.push(turn);
    const main = turn ?? head;
    const text = (piece) => piece.word ?? query.slice(piece.start, piece.end);
    const same = (piece) => piece.told === main.told && text(piece) === text(main);
    const unused = pieces.filter((one) => one.weight !== STOP && !found.some((own) => own.start === one.start && own.end === one.end));
    const others = found.filter((piece) => !same(piece)).map((piece) => ({ at: piece.told, word: text(piece) }));
    return reply(main.told, text(main), others, unused.map(text), lost.map(text));
  }

  /** Return the piece with the answer for the place that a question names, where the plan has a kind of it there. */
  function placed(head, found) {
    const kinds = answers[head.told].kinds ?? {};
    const places = found.map(({ told }) => answers[told]).flatMap((one) => (one.kind === "place" ? one.places : []));
    const here = places.find((id) => Object.hasOwn(kinds, id));
    return here === undefined ? head : { ...head, told: kinds[here] };
  }

  /** Return the piece for what is done with a thing, with the answer of that: of a farm for oysters, a pump for nuclear plants. */
  function turnOf(query, pieces, head) {
    const tokensAt = ({ start, end }) => letters.tokenise(query.slice(start, end));
    const formAt = (piece) => formOf(tokensAt(piece));
    const core = pieces.filter((piece) => piece.weight !== STOP);
    let { industry } = answers[head.told];
    let turn = null;
    for (const piece of core) {
      const form = formAt(piece);
      const words = tokensAt(piece).map((token) => token.form);
      const bare = rules.particles.filter((one) => form !== one && form.endsWith(one)).map((one) => form.slice(0, -one.length));
      const told = [form, ...bare, ...words].map((one) => tables.turns[one]?.[industry]).find((one) => one !== undefined);
      if (told === undefined || form === formAt(head)) continue;
      turn = { ...piece, told, word: query.slice(core[0].start, core.at(-1).end) };
      ({ industry } = answers[told]);
    }
    return turn;
  }

  /** Return the piece that the others describe: the last one, unless they are joined by a preposition. */
  function headOf(query, found) {
    const told = (piece) => answers[piece.told];
    const some = (pieces, test) => (pieces.some(test) ? pieces.filter(test) : null);
    let subjects = some(found, (one) => !["place", "page", "kind"].includes(told(one).kind));
    subjects ??= some(found, (one) => told(one).kind === "place") ?? found; // of several of a kind
    subjects =
      some(subjects, (one) => told(one).industry || told(one).kind !== "printed") ??
      some(subjects, (one) => told(one).name) ??
      some(found, (one) => told(one).kind === "place") ??
      subjects;
    for (const [at, piece] of subjects.slice(0, -1).entries()) {
      const between = letters.tokenise(query.slice(piece.end, subjects[at + 1].start));
      if (between.some((token) => rules.prepositions.includes(token.form))) return piece;
    }
    if (told(subjects.at(-1)).kind === "place") return subjects[0];
    return subjects.at(-1);
  }

  return { ask, unknown, lacksIndustry, nearestTo };
}

/** Return whether `text` has the words in their order, with or without others between them. */
function has(text, words) {
  let at = 0;
  for (const word of words) {
    at = text.indexOf(word, at);
    if (at < 0) return false;
    at += word.length;
  }
  return true;
}

/** Return how two rows of numbers are ordered, the first that differ deciding. */
export function compare(one, other) {
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return one[at] - other[at];
  return 0;
}

const byCode = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
