/**
 * What Prometheus says of a line that it can't read, word for word, since that is what users know and search for. Its texts
 * name the token that came where another was expected, which a reader at byte level doesn't have; so the line at fault, and
 * only that, is read again token by token, by the rules of Prometheus' two scanners (model/textparse, *.l).
 */
import { decodeUtf8, parseFloatText, quoteGo } from '../../model/index.ts';
import { ExpositionError } from '../errors.ts';
import { type Lexer, openMetricsLexer, type Token, textLexer } from './tokens.ts';

/** A longer entry is described by the reader's own words. */
const entryBytesMax = 16 * 1024;

/** The complaint about the entry that begins at `start`; undefined where none is found. */
function complaint(body: Uint8Array, start: number, format: 'text' | 'openmetrics'): string | undefined {
  const end = Math.min(body.length, start + entryBytesMax);
  const bytes = Buffer.from(body.subarray(start, end));
  const isWhole = end === body.length;
  if (format === 'text') {
    const text = bytes.toString('latin1') + (isWhole ? '\n' : '');
    return new Complainer(textLexer(text), isWhole, 'text').entry();
  }
  return new Complainer(openMetricsLexer(bytes.toString('latin1')), isWhole, 'openmetrics').entry();
}

/** What was thrown while the entry at `start` was read: a fault of the exposition is told in Prometheus' words. */
export function inKnownWords(
  error: unknown,
  body: Uint8Array,
  start: number,
  format: 'text' | 'openmetrics',
): unknown {
  if (!(error instanceof ExpositionError)) return error;
  const words = complaint(body, start, format);
  return words === undefined ? error : new ExpositionError(words);
}

/** Thrown inside this file alone; without a text when the entry is too long to tell. */
class Found extends Error {
  readonly complaint: string | undefined;

  constructor(text: string | undefined) {
    super(text);
    this.complaint = text;
  }
}

class Complainer {
  readonly #lexer: Lexer;
  readonly #isWhole: boolean;
  readonly #isOpen: boolean;
  #hasName = false;
  /** Where the entry begins. */
  #from = 0;

  constructor(lexer: Lexer, isWhole: boolean, format: 'text' | 'openmetrics') {
    this.#lexer = lexer;
    this.#isWhole = isWhole;
    this.#isOpen = format === 'openmetrics';
  }

  entry(): string | undefined {
    try {
      this.#start(this.#next());
      return undefined;
    } catch (error) {
      if (error instanceof Found) return error.complaint;
      throw error;
    }
  }

  #next(): Token {
    let token = this.#lexer.next();
    while (token === 'WHITESPACE') token = this.#lexer.next();
    if (this.#lexer.at >= this.#lexer.text.length && !this.#isWhole) throw new Found(undefined);
    return token;
  }

  #fail(message: string): never {
    throw new Found(message);
  }

  #expected(what: string, got: Token): never {
    const { text, start, at } = this.#lexer;
    const end = Math.min(text.length, at + 1);
    this.#fail(
      `${what}, got ${quoted(text.slice(start, end))} ("${got}") while parsing: ${quoted(text.slice(this.#from, end))}`,
    );
  }

  #failWhileParsing(message: string): never {
    this.#fail(`${message} while parsing: ${quoted(this.#lexer.text.slice(this.#from, this.#lexer.at))}`);
  }

  #start(token: Token): void {
    switch (token) {
      case 'EOF':
        if (this.#isOpen) this.#fail('data does not end with # EOF');
        return;
      case 'EOFWORD':
        if (this.#next() !== 'EOF') this.#fail('unexpected data after # EOF');
        return;
      case 'HELP':
      case 'TYPE':
      case 'UNIT':
        this.#metadata(token);
        return;
      case 'BOPEN':
        this.#labels(false);
        this.#value(this.#next());
        return;
      case 'MNAME': {
        this.#hasName = true;
        const next = this.#next();
        if (next === 'BOPEN') this.#labels(false);
        this.#value(next === 'BOPEN' ? this.#next() : next);
        return;
      }
      case 'LINEBREAK':
      case 'COMMENT':
        if (!this.#isOpen) return;
    }
    this.#expected('expected a valid start token', token);
  }

  #metadata(kind: 'HELP' | 'TYPE' | 'UNIT'): void {
    const nameToken = this.#next();
    if (nameToken !== 'MNAME') this.#expected(`expected metric name after ${kind}`, nameToken);
    const name = this.#lexer.token.replace(/^"(.*)"$/s, '$1');
    const textToken = this.#next();
    if (textToken !== 'TEXT') {
      this.#fail(`expected text in ${kind}${this.#isOpen ? '' : `, got ${textToken}`}`);
    }
    const text = this.#lexer.token.slice(1, this.#isOpen ? -1 : undefined);
    if (kind === 'TYPE') this.#type(text);
    else if (kind === 'HELP' && decoded(text) === undefined) {
      this.#fail(`help text ${quoted(text)} is not a valid utf8 string`);
    } else if (kind === 'UNIT' && text !== '' && !name.endsWith(`_${text}`)) {
      this.#fail(`unit ${quoted(text)} not a suffix of metric ${quoted(name)}`);
    }
    if (this.#isOpen) return;
    const end = this.#next();
    if (end !== 'LINEBREAK') this.#expected('linebreak expected after metadata', end);
  }

  #type(text: string): void {
    const common = ['counter', 'gauge', 'histogram', 'summary'];
    const own = this.#isOpen ? ['gaugehistogram', 'info', 'stateset', 'unknown'] : ['untyped'];
    if (![...common, ...own].includes(text)) this.#fail(`invalid metric type ${quoted(text)}`);
  }

  #labels(isExemplar: boolean): void {
    let token = this.#next();
    for (;;) {
      if (token === 'BCLOSE') return;
      if (token !== 'LNAME' && token !== 'QSTRING') this.#expected('expected label name', token);
      token = this.#next();
      if (token === 'COMMA' || token === 'BCLOSE') {
        if (isExemplar) this.#expected('expected label name', token);
        if (this.#hasName) this.#failWhileParsing('metric name already set');
        this.#hasName = true;
        if (token === 'BCLOSE') return;
        token = this.#next();
        continue;
      }
      if (token !== 'EQUAL') this.#expected('expected equal', token);
      const value = this.#next();
      if (value !== 'LVALUE') this.#expected('expected label value', value);
      if (decoded(this.#lexer.token) === undefined) {
        this.#fail(`invalid UTF-8 label value: ${quoted(this.#lexer.token)}`);
      }
      token = this.#next();
      if (token === 'COMMA') token = this.#next();
      else if (this.#isOpen && token !== 'BCLOSE') this.#expected('expected comma or brace close', token);
    }
  }

  #value(token: Token): void {
    if (!this.#hasName) this.#failWhileParsing('metric name not set');
    if (token !== 'VALUE') this.#expected('expected value after metric', token);
    this.#float(this.#isOpen ? this.#lexer.token.slice(1) : this.#lexer.token);
    const next = this.#next();
    if (this.#isOpen) this.#endOfOpenMetrics(next, 'next entry after timestamp');
    else this.#endOfText(next);
  }

  #endOfText(token: Token): void {
    if (token === 'LINEBREAK') return;
    if (token !== 'TIMESTAMP') this.#expected('expected timestamp or new record', token);
    const digits = this.#lexer.token;
    if (BigInt(digits) >= 2n ** 63n) {
      this.#failWhileParsing(`strconv.ParseInt: parsing ${quoted(digits)}: value out of range`);
    }
    const next = this.#next();
    if (next !== 'LINEBREAK') this.#expected('expected next entry after timestamp', next);
  }

  #endOfOpenMetrics(token: Token, afterTime: string): void {
    if (token === 'EOF') this.#fail('data does not end with # EOF');
    if (token === 'COMMENT') this.#exemplar();
    if (token === 'INVALID') {
      // Prometheus takes no notice of it here, and stumbles over what comes next.
      this.#from = this.#lexer.at;
      this.#hasName = false;
      this.#start(this.#next());
    }
    if (token !== 'TIMESTAMP') return;
    this.#time('invalid timestamp');
    const next = this.#next();
    if (next === 'COMMENT') this.#exemplar();
    else if (next !== 'LINEBREAK') this.#expected(`expected ${afterTime}`, next);
  }

  #exemplar(): void {
    this.#labels(true);
    const value = this.#next();
    if (value !== 'VALUE') this.#expected('expected value after exemplar labels', value);
    this.#float(this.#lexer.token.slice(1));
    const token = this.#next();
    if (token === 'EOF') this.#fail('data does not end with # EOF');
    if (token === 'LINEBREAK') return;
    if (token !== 'TIMESTAMP') this.#expected('expected timestamp or comment', token);
    this.#time('invalid exemplar timestamp');
    const next = this.#next();
    if (next !== 'LINEBREAK') this.#expected('expected next entry after exemplar timestamp', next);
  }

  #time(complaintStart: string): void {
    const text = this.#lexer.token.slice(1);
    this.#float(text);
    const seconds = parseFloatText(text) ?? 0;
    if (Number.isFinite(seconds)) return;
    const shown = Number.isNaN(seconds) ? 'NaN' : seconds > 0 ? '+Inf' : '-Inf';
    this.#fail(`${complaintStart} ${shown}`);
  }

  #float(text: string): void {
    if (/[pP_]/.test(text)) this.#failWhileParsing('unsupported character in float');
    const value = parseFloatText(text);
    if (value === undefined) {
      const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
      const reason = isNumber ? 'value out of range' : 'invalid syntax';
      this.#failWhileParsing(`strconv.ParseFloat: parsing ${quoted(text)}: ${reason}`);
    }
  }
}

/** The text of bytes held as one character each. */
function decoded(bytes: string): string | undefined {
  const buffer = Buffer.from(bytes, 'latin1');
  return decodeUtf8(buffer, 0, buffer.length);
}

/** As Go quotes bytes: what is no UTF-8 as \xNN. */
function quoted(bytes: string): string {
  const whole = decoded(bytes);
  if (whole !== undefined) return quoteGo(whole);
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const size = [1, 2, 3, 4].find((length) => decoded(bytes.slice(i, i + length)) !== undefined);
    if (size === undefined) text += `\\x${bytes.charCodeAt(i).toString(16)}`;
    else text += quoteGo(decoded(bytes.slice(i, i + size)) ?? '').slice(1, -1);
    i += size ?? 1;
  }
  return `"${text}"`;
}
