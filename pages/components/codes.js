// Finds the code in a text, by the same rule for the code field and for the handset.
//
// A code has the length of this verification's codes. It stands alone, or in groups of about the
// same size with single spaces or dashes between them (123-456), or read out digit by digit. Not a
// code, whatever its length: digits that belong to a word (2FA), an amount, a date with dots or
// slashes, a time, an address, or a phone number; and any part of a longer number.

const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;
const DASH = /[\p{Pd}\p{Dash}\u2043\u02d7\u30fc\uff70]/u;
const DECIMAL = /\p{Nd}/u;

// Scripts that write words apart. Elsewhere a number touches its neighbours: 验证码是482913.
const LETTER =
  "[\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{Script=Armenian}\\p{Script=Georgian}]";
const CURRENCY = `(?:\\p{Sc}|(?<!${LETTER})(?:${Intl.supportedValuesOf("currency").join("|")}|Rs\\.?)(?!${LETTER}))`;
const GROUP = new RegExp(
  `(?<!${LETTER}\\p{M}*_?|\\d[.,:'’]|/|\\+|${CURRENCY} ?|[•●·×]|(?<!\\*)\\*(?=\\d+(?![\\d*])))` +
    "(?<!\\d)\\d+(?!\\d)" +
    `(?!_?${LETTER}|[.,:'’]\\d|/| ?${CURRENCY}| ?%)`,
  "gu",
);
// "4, 7, 1, 0, 2, 9": digits on their own with only pauses between them.
const READ_OUT = new RegExp(
  `(?<!${LETTER}\\p{M}*|\\d[.,:]?|\\+)\\d(?:[\\s,.;:…-]+\\d(?!\\d))+(?!${LETTER})`,
  "gu",
);
// The last line of an origin-bound message, which names the code for programs.
const ORIGIN_BOUND = /(?:^|\n)@[^\s#]+ #(\S+)(?: @\S+)?\s*$/u;
const NEVER_CODES = [
  // Addresses of pages and of mail.
  /\b(?:[a-z][a-z0-9+.-]{0,20}:\/\/|www\.)\S+/giu,
  /\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}\.[a-z]{2,20}\/\S*/giu,
  /[^\s@]{1,64}@[^\s@]{1,255}\.[^\s@]{1,63}/gu,
  // Phone numbers: +49 (0)170 1234567, (415) 555-0123.
  /\+\d(?: ?\(\d+\) ?|[ ./-]?\d)+/gu,
  /\(\d{1,5}\)[ -]?\d(?:[ -]?\d)+/gu,
];
// Not a space, so nothing joins across it.
const GAP = "\0";

/** 0 to 9. Unicode keeps the digits of a script in runs of ten, from zero upwards. */
function digitValue(char) {
  if (char >= "0" && char <= "9") return char;
  let zero = char.codePointAt(0);
  while (DECIMAL.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String((char.codePointAt(0) - zero) % 10);
}

/** `text` with ASCII digits, plain spaces and dashes, without invisible characters; `at` is the position
 * of each of its characters in the original. */
function plainText(original) {
  const at = [];
  let text = "";
  let place = 0;
  for (const char of original) {
    let plain = char;
    if (char > " " && char < "\x7f" && char !== "-") plain = char;
    else if (DECIMAL.test(char)) plain = digitValue(char);
    else if (INVISIBLE.test(char)) plain = "";
    else if (DASH.test(char)) plain = "-";
    else if (/[\n\r\u2028\u2029\u0085]/.test(char)) plain = "\n";
    else if (/\s/.test(char)) plain = " ";
    for (const _ of plain.split("")) at.push(place);
    text += plain;
    place += char.length;
  }
  at.push(place);
  return { text, at };
}

/** Digits of any script as ASCII ones, without spaces, dashes, dots and invisible marks; null for a
 * text with anything else in it. The same as `read_entered` in core/verification/code.py. */
function enteredDigits(original) {
  const digits = plainText(original).text.replace(/[\s.-]/g, "");
  return /^\d*$/.test(digits) ? digits : null;
}

/**
 * The possible codes in a text, without repetition, as `{ code, start, end }`. With one entry, it is
 * the code; with several, it is ambiguous. `brand` is the sender's name, whose digits (Club 1860) are
 * not a code.
 */
function codesIn(original, length, brand = "") {
  const { text, at } = plainText(original);
  const whole = enteredDigits(original);
  if (whole?.length === length) return [{ code: whole, start: 0, end: original.length }];

  const bound = ORIGIN_BOUND.exec(text);
  const named = bound && enteredDigits(bound[1]);
  const numbers = (from) => [...joined(from, length), ...readOut(from, length)];
  let candidates = [];
  if (named?.length === length) {
    const place = text.indexOf(bound[1]);
    candidates = [{ code: named, start: place, end: place + bound[1].length }];
  } else {
    const rest = NEVER_CODES.reduce(without, text);
    candidates = numbers(brand ? without(rest, brandPattern(brand)) : rest);
    // The brand itself may look like the code.
    if (candidates.length === 0) candidates = numbers(rest);
  }
  const first = new Map();
  for (const { code, start, end } of candidates.sort((a, b) => a.start - b.start)) {
    if (!first.has(code)) {
      first.set(code, { code, start: at[start], end: at[end] });
    }
  }
  return [...first.values()];
}

/** The possible codes in a call, as `codesIn`. A pressed key separates the texts around it, so that
 * the 1 of "press 1" never becomes the first digit. */
function codesHeard(transcript, length, brand = "") {
  const text = transcript.map(({ kind, text }) => (kind === "spoken" ? text : GAP)).join("\n");
  return codesIn(text, length, brand);
}

const without = (text, pattern) => text.replace(pattern, (match) => GAP.repeat(match.length));

function brandPattern(brand) {
  const name = plainText(brand).text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\d])${name}(?![\\p{L}\\d])`, "giu");
}

/** Numbers of that length, in one or several groups. */
function joined(text, length) {
  const groups = [...text.matchAll(GROUP)].map((match) => ({
    digits: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
  const chains = [];
  for (const group of groups) {
    const chain = chains.at(-1);
    const between = chain && text.slice(chain.at(-1).end, group.start);
    group.follows = /^(?: {1,2}|-)$/.test(between ?? "") ? between : "";
    if (group.follows) chain.push(group);
    else chains.push([group]);
  }
  return chains.flatMap((chain) => {
    if (isCode(chain, length)) return [codeOf(chain)];
    // Twice, or beside a small number: "482913 5 minutes", "Studio 54 482913".
    const words = chain.reduce((list, group) => {
      if (group.follows === "-") list.at(-1).push(group);
      else list.push([group]);
      return list;
    }, []);
    const word = words.find((each) => isCode(each, length));
    if (!word || (word !== words[0] && chain[0].digits.startsWith("0"))) return [];
    const code = codeOf(word);
    const others = words.filter((each) => codeOf(each).code !== code.code);
    return others.flat().every(({ digits }) => digits.length <= 2) ? [code] : [];
  });
}

/** Groups of sizes that differ by one at most: 123-4567, but not 2026-01-15. */
function isCode(groups, length) {
  const sizes = groups.map(({ digits }) => digits.length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return total === length && Math.max(...sizes) - Math.min(...sizes) <= 1;
}

const codeOf = (groups) => ({
  code: groups.map(({ digits }) => digits).join(""),
  start: groups[0].start,
  end: groups.at(-1).end,
});

/** Codes read out digit by digit, once or several times in a row. */
function readOut(text, length) {
  return [...text.matchAll(READ_OUT)].flatMap((match) => {
    const digits = match[0].replace(/\D/g, "");
    const code = digits.slice(0, length);
    if (digits.length < length || digits !== code.repeat(digits.length / length)) return [];
    return [{ code, start: match.index, end: match.index + match[0].length }];
  });
}
