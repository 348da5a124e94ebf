/**
 * Cuts a text into tokens as Prometheus does: what may stand inside braces and brackets is less than outside, and
 * a character that may not stand where it does is an error of its own. Tokens are read one at a time, so that an
 * error further behind does not hide one that the parser finds first.
 */
import { quoteGo } from '../../model/index.ts';
import { ParseError } from '../errors.ts';
import { scanNumber } from './scan_number.ts';
import { scanRawString, scanString } from './scan_string.ts';
import { kindOfWord, type Token, type TokenKind } from './tokens.ts';

const blanks = /[ \t\r\n]+/y;
const comment = /#[^\r\n]*/y;
const word = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const letters = /[a-zA-Z_]*/y;
const fillBefore = /[ \t\r\n]*\(/y;
const numberStart = /\d|\.\d/y;

const durationWords: ReadonlySet<string> = new Set(['step', 'range', 'min_of', 'max_of']);
const durationSymbols = '()+-*/%^,]';
const plainSymbols = ',*/%+-^(){}[]@';

export class Lexer {
  readonly #text: string;
  #at = 0;
  #parens = 0;
  #inBraces = false;
  #inBracket = false;
  /** Right behind a bracket that opens or an operator of durations; behind a number, other words get other errors. */
  #inDuration = false;
  #hasColon = false;
  #hasDuration = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Throws ParseError at a character that does not belong there. */
  next(): Token {
    if (this.#inBraces) return this.#insideBraces();
    return this.#inDuration ? this.#insideBracket() : this.#outside();
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #skipBlanks(): void {
    this.#at += this.#match(blanks).length;
  }

  #skipBlanksAndComments(): void {
    for (let length = -1; length !== 0; ) {
      length = this.#match(blanks).length || this.#match(comment).length;
      this.#at += length;
    }
  }

  #char(ahead = 0): string {
    const code = this.#text.codePointAt(this.#at + ahead);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #token(kind: TokenKind, length: number): Token {
    const start = this.#at;
    this.#at += length;
    return { kind, text: this.#text.slice(start, this.#at), start, end: this.#at };
  }

  #fail(reason: string, at: number = this.#at): never {
    throw new ParseError(this.#text, at, reason);
  }

  #outside(): Token {
    this.#skipBlanksAndComments();
    const char = this.#char();
    if (char === '') {
      if (this.#parens !== 0) this.#fail('unclosed left parenthesis');
      if (this.#inBracket) this.#fail('unclosed left bracket');
      return this.#token('eof', 0);
    }
    if (this.#match(numberStart) !== '') return this.#number();
    if (char === '"' || char === "'") return this.#token('string', scanString(this.#text, this.#at));
    if (char === '`') return this.#token('string', scanRawString(this.#text, this.#at));
    if (/[a-zA-Z_:]/.test(char)) return this.#inBracket ? this.#wordInBracket(char) : this.#word();
    if ('=!<>'.includes(char)) return this.#comparison(char);
    if (!plainSymbols.includes(char) || char === '}') {
      this.#fail(`unexpected character: ${quoteChar(char)}`);
    }
    return this.#symbol(char as TokenKind);
  }

  #symbol(kind: TokenKind): Token {
    if (kind === '[' && this.#inBracket) this.#fail(`unexpected left bracket ${quoteChar(kind)}`);
    if (kind === ']' && !this.#inBracket) this.#fail(`unexpected right bracket ${quoteChar(kind)}`);
    const token = this.#token(kind, 1);
    if (kind === '(') this.#parens++;
    else if (kind === ')') this.#closeParenthesis();
    else if (kind === '{') this.#inBraces = true;
    else if (kind === '[') {
      this.#inBracket = true;
      this.#inDuration = true;
      this.#hasColon = false;
    } else if (kind === ']') this.#inBracket = false;
    return token;
  }

  #closeParenthesis(): void {
    if (--this.#parens < 0) this.#fail(`unexpected right parenthesis ${quoteChar(')')}`);
  }

  #comparison(char: string): Token {
    const next = this.#char(1);
    if (char === '=') {
      if (next === '~') this.#fail(`unexpected character after '=': ${quoteChar(next)}`);
      return next === '=' ? this.#token('==', 2) : this.#token('=', 1);
    }
    if (char === '!') {
      if (next !== '=') this.#fail(`unexpected character after '!': ${quoteChar(next)}`);
      return this.#token('!=', 2);
    }
    const isPair = next === '=' || next === '/';
    return this.#token((isPair ? char + next : char) as TokenKind, isPair ? 2 : 1);
  }

  #word(): Token {
    const text = this.#match(word);
    const kind = kindOfWord(text);
    const token = this.#token(kind, text.length);
    const isFill = kind === 'fill' || kind === 'fill_left' || kind === 'fill_right';
    // These came late to the language: metrics may have such names.
    return isFill && this.#match(fillBefore) === '' ? { ...token, kind: 'identifier' } : token;
  }

  #wordInBracket(char: string): Token {
    if (char === ':') {
      if (this.#hasColon) this.#fail(`unexpected colon ${quoteChar(char)}`);
      this.#hasColon = true;
      return this.#token(':', 1);
    }
    const known = this.#durationWord();
    if (known === undefined) {
      this.#fail(`unexpected character: ${quoteChar(char)}, expected ${quoteChar(':')}`);
    }
    return known;
  }

  #durationWord(): Token | undefined {
    const text = this.#match(letters);
    const lower = text.toLowerCase();
    return durationWords.has(lower) ? this.#token(lower as TokenKind, text.length) : undefined;
  }

  #number(): Token {
    const { kind, end } = scanNumber(this.#text, this.#at);
    if (kind === undefined) {
      this.#fail(`bad number or duration syntax: ${quoteGo(this.#text.slice(this.#at, end))}`);
    }
    return this.#token(kind, end - this.#at);
  }

  #insideBracket(): Token {
    this.#skipBlanks();
    const char = this.#char();
    if (char === '') this.#fail('unexpected end of input in duration expression');
    if (this.#match(numberStart) !== '') {
      this.#hasDuration = true;
      this.#inDuration = false;
      return this.#number();
    }
    if (char === ':') return this.#colon();
    if (durationSymbols.includes(char)) {
      const token = this.#token(char as TokenKind, 1);
      if (char === '(') this.#parens++;
      else if (char === ')') this.#closeParenthesis();
      else if (char === ']') {
        this.#inBracket = false;
        this.#inDuration = false;
        this.#hasColon = false;
      }
      return token;
    }
    const known = this.#durationWord();
    if (known === undefined) this.#fail(`unexpected character in duration expression: ${quoteChar(char)}`);
    return known;
  }

  #colon(): Token {
    const token = this.#token(':', 1);
    if (!this.#hasDuration) this.#fail('unexpected colon before duration in duration expression');
    if (this.#hasColon) this.#fail('unexpected repeated colon in duration expression');
    this.#hasColon = true;
    return token;
  }

  #insideBraces(): Token {
    this.#skipBlanksAndComments();
    const char = this.#char();
    switch (char) {
      case '':
        return this.#fail('unexpected end of input inside braces');
      case ',':
        return this.#token(',', 1);
      case '"':
      case "'":
        return this.#token('string', scanString(this.#text, this.#at));
      case '`':
        return this.#token('string', scanRawString(this.#text, this.#at));
      case '=':
        return this.#char(1) === '~' ? this.#token('=~', 2) : this.#token('=', 1);
      case '!': {
        const next = this.#char(1);
        if (next === '~' || next === '=') return this.#token(next === '~' ? '!~' : '!=', 2);
        return this.#fail(`unexpected character after '!' inside braces: ${quoteChar(next)}`);
      }
      case '{':
        return this.#fail(`unexpected left brace ${quoteChar(char)}`);
      case '}':
        this.#inBraces = false;
        return this.#token('}', 1);
    }
    const name = this.#match(labelName);
    if (name === '') this.#fail(`unexpected character inside braces: ${quoteChar(char)}`);
    return this.#token('identifier', name.length);
  }
}

/** A character in single quotes, escaped as Go does; the end of the text shows as the replacement character. */
function quoteChar(char: string): string {
  if (char === '') return "'\ufffd'";
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  return `'${quoteGo(char).slice(1, -1)}'`;
}
