/**
 * Where a number or a duration ends. A text that looks like one is judged as a whole, and the message shows it as
 * far as it was read: the rules are those by which Prometheus reads, character after character.
 */
export interface ScannedNumber {
  /** Undefined when it is neither. */
  readonly kind: 'number' | 'duration' | undefined;
  /** What was read ends here. */
  readonly end: number;
}

const decimal = '0123456789';
const hexadecimal = '0123456789abcdefABCDEF';
const isAlphaNumeric = (char: string): boolean => /^[a-zA-Z0-9_]$/.test(char);

class Cursor {
  readonly #text: string;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  peek(): string {
    const code = this.#text.codePointAt(this.at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  is(valid: string): boolean {
    const char = this.peek();
    return char !== '' && valid.includes(char);
  }

  accept(valid: string): boolean {
    if (!this.is(valid)) return false;
    this.at++;
    return true;
  }

  acceptRun(valid: string): void {
    while (this.accept(valid));
  }
}

/** `start` is at a digit, or at a point before one. */
export function scanNumber(text: string, start: number): ScannedNumber {
  const cursor = new Cursor(text, start);
  if (isNumber(cursor)) return { kind: 'number', end: cursor.at };
  if (isDuration(cursor)) return { kind: 'duration', end: cursor.at };
  return { kind: undefined, end: cursor.at };
}

function isNumber(cursor: Cursor): boolean {
  let digits = decimal;
  if (cursor.accept('0') && cursor.accept('xX')) {
    cursor.accept('_');
    digits = hexadecimal;
  }
  cursor.accept('.');
  cursor.accept(digits);
  const seen = { point: false, exponent: false };
  while (cursor.is(`${digits}._eE`)) {
    if (!takePart(cursor, digits, seen)) return false;
  }
  return !isAlphaNumeric(cursor.peek());
}

/** One point, exponent, underscore or run of digits; false where none may stand. */
function takePart(cursor: Cursor, digits: string, seen: { point: boolean; exponent: boolean }): boolean {
  if ((cursor.is('.') && seen.point) || (cursor.is('eE') && seen.exponent)) {
    cursor.at++;
    return false;
  }
  if (cursor.accept('.')) {
    seen.point = true;
    return !cursor.accept('_.') && digits === decimal;
  }
  if (cursor.accept('eE')) {
    seen.exponent = true;
    cursor.accept('+-');
    return !cursor.accept('._eE') && cursor.peek() !== '';
  }
  if (cursor.accept('_')) return !cursor.accept('._eE') && cursor.peek() !== '';
  cursor.acceptRun(digits);
  return true;
}

/** Goes on where the number ended. */
function isDuration(cursor: Cursor): boolean {
  if (!cursor.accept('smhdwy')) return false;
  cursor.accept('s');
  while (cursor.accept(decimal)) {
    cursor.acceptRun(decimal);
    if (!cursor.accept('smhdw')) return false;
    cursor.accept('s');
  }
  const behind = cursor.peek();
  if (!isAlphaNumeric(behind)) return true;
  cursor.at += behind.length;
  return false;
}
