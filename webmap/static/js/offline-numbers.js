/** Figures as the server has them: exact sums, its way of rounding, its tables as files; and what is wrong with an address. */

const SCALE = 1100n; // every number that a computer holds is a whole number of parts of this power of two
const SHOWN = 200n;

/** Return a number as a whole number of the smallest parts, so that sums are exact and ties are ties. */
export function toExact(value) {
  let [whole, shift] = [value, 0n];
  for (; !Number.isInteger(whole); shift++) whole *= 2;
  return BigInt(whole) << (SCALE - shift);
}

/** Return an exact sum divided by a whole number, as the nearest number. */
export const toNumber = (sum, total) => (total ? Number((sum << SHOWN) / (BigInt(total) << SCALE)) / 2 ** Number(SHOWN) : 0);

/** Return a number with so many decimals, exact halves to the even one, as Python rounds. */
export function rounded(value, digits) {
  const whole = value.toFixed(100);
  const cut = whole.slice(0, whole.indexOf(".") + 1 + digits);
  const half = /^50*$/.test(whole.slice(cut.length)) && "02468".includes(cut.replace(".", "").at(-1));
  return Number(half ? cut : value.toFixed(digits));
}

/** Return a number as the pages write it: thousands separated, so many decimals, or as many as it needs. */
export function written(value, digits) {
  if (value === null) return "–";
  const text = digits === undefined ? String(value) : rounded(value, digits).toFixed(digits);
  return text.replace(/\d+/, (whole) => whole.replace(/\B(?=(?:\d{3})+$)/g, ","));
}

/** Return the ids in all the values of a parameter, in their order. */
export const splitIds = (values) => values.flatMap((value) => value.split(",")).map((one) => one.trim()).filter(Boolean);

/** What is wrong with an address: the key of the sentence that says so, and what fills it. */
export class Refusal extends Error {
  constructor(key, parameter, value, allowed, near = []) {
    super(key);
    Object.assign(this, { values: { parameter, value: shortened(value), allowed }, near });
  }
}

const LONGEST = 60;
const shortened = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/* Files that the reader saves, made here of what is on the page. */

const MARK = "\ufeff"; // without it spreadsheets take UTF-8 for the system's own encoding
const FORMULA = /^[=+\-@\t\r\n]/; // but an = alone, a number, a sign alone or before a word is none
const NO_FORMULA = /^(?:=|[+-](?:\d+(?:\.\d+)?%?|[ \u2E80-\uA4CF\uAC00-\uD7AF\uF900-\uFAFF].*)?)$/s;

/** Return rows as CSV; what a spreadsheet would run is text. */
export function toCsv(rows) {
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "string" && FORMULA.test(value) && !NO_FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return MARK + rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
