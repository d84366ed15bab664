// Finding the code in what a phone shows or hears.

const SHORTEST = 4;
const LONGEST = 10;
// Not part of a word, a longer number or a phone number.
const WRITTEN = /(?<![\p{L}\d+])\d{4,10}(?![\p{L}\d])/u;
// "4, 7, 1, 0, 2, 9": digits on their own with only pauses between them.
const SPOKEN = /(?<![\p{L}\d+])\d(?:[\s,.;:…–-]+\d)+(?![\p{L}\d])/gu;

/** The code of a message: the first number of 4 to 10 digits. Null where there is none. */
function codeIn(text) {
  return WRITTEN.exec(text)?.[0] ?? null;
}

/**
 * The code read out in a call; null before that. A pressed key ends what was said before it, so the
 * 1 of "press 1" never becomes the first digit.
 */
function codeHeard(transcript) {
  const said = transcript.map(({ kind, text }) => (kind === "key" ? "|" : text)).join(" ");
  for (const [run] of said.matchAll(SPOKEN)) {
    const code = saidOnce(run.replace(/\D/g, ""));
    if (code.length >= SHORTEST && code.length <= LONGEST) return code;
  }
  return codeIn(said);
}

/** `471029471029` as `471029`: read out twice with no word between. */
function saidOnce(digits) {
  for (let length = SHORTEST; length <= digits.length / 2; length++) {
    const once = digits.slice(0, length);
    if (digits === once.repeat(digits.length / length)) return once;
  }
  return digits;
}
