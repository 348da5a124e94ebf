/**
 * The other direction of quoting: what stands between the quotes of Go's string and rune literals ("String literals" of
 * the Go specification), as PromQL, templates and Alertmanager's matchers take them. `\x` and octal escapes give
 * bytes, so the result is bytes: each language decides what to do when they are no UTF-8.
 */
const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
]);

const numericEscape = /(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3})/y;

/** Whether a backslash before `letter` begins an escape; the numeric ones need digits too. */
export function isGoEscape(letter: string): boolean {
  return simpleEscapes.has(letter) || /^['"xuU0-7]$/.test(letter);
}

/** The bytes of a literal's inside; of the two quotes only `quote` may be escaped. Undefined: a bad escape. */
export function unescapeGo(body: string, quote: '"' | "'"): Uint8Array | undefined {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let next = body.indexOf('\\'); next >= 0; next = body.indexOf('\\', at)) {
    pieces.push(Buffer.from(body.slice(at, next)));
    const letter = body[next + 1] ?? '';
    const simple = letter === quote ? quote : simpleEscapes.get(letter);
    if (simple === undefined) {
      numericEscape.lastIndex = next + 1;
      const decoded = numericEscape.test(body)
        ? numericBytes(body.slice(next + 1, numericEscape.lastIndex))
        : undefined;
      if (decoded === undefined) return undefined;
      pieces.push(decoded);
      at = numericEscape.lastIndex;
    } else {
      pieces.push(Buffer.from(simple));
      at = next + 2;
    }
  }
  pieces.push(Buffer.from(body.slice(at)));
  return Buffer.concat(pieces);
}

/** `\x` and octal escapes give one byte, `\u` and `\U` a code point. */
function numericBytes(escaped: string): Buffer | undefined {
  const kind = escaped[0];
  if (kind === 'u' || kind === 'U') {
    const codePoint = Number.parseInt(escaped.slice(1), 16);
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return undefined;
    return Buffer.from(String.fromCodePoint(codePoint));
  }
  const byte = kind === 'x' ? Number.parseInt(escaped.slice(1), 16) : Number.parseInt(escaped, 8);
  return byte > 0xff ? undefined : Buffer.from([byte]);
}
