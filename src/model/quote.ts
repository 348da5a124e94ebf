/**
 * Double-quoted text as Go's strconv.Quote writes it, which is how Prometheus shows label values in errors,
 * rule names and PromQL. JSON differs: it knows no \a, \v, \x7f, and leaves U+2028 and unprintable marks alone.
 */
const named: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u000b': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

// Go's IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space; nothing else.
const unprintable = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

function escapeOne(char: string): string {
  const known = named[char];
  if (known !== undefined) return known;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** The text in double quotes; a lone surrogate, which Go cannot hold, becomes U+FFFD. */
export function quoteGo(text: string): string {
  return `"${text.toWellFormed().replace(unprintable, escapeOne)}"`;
}
