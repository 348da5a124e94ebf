/**
 * Splits a template into text and, inside `{{ }}`, tokens; as described in Go's text/template ("Text and
 * spaces", "Actions"): `{{- ` and ` -}}` trim the neighbouring text, `{{/* *\/}}` is a comment.
 */
import { TemplateParseError } from './errors.ts';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'string'
  | 'char'
  | 'number'
  | 'dot'
  | 'space'
  | '|'
  | '('
  | ')'
  | ','
  | ':='
  | '='
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Text, name without `.` or `$`... the literal as written otherwise. */
  readonly text: string;
  readonly line: number;
}

/** Longest template text accepted. */
const templateLengthMax = 1 << 20;

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)/y,
  ],
  ['dot', /\./y],
  ['variable', /\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?/uy],
  ['identifier', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n]+?)'/uy],
  [':=', /:=/y],
  ['=', /=/y],
  ['|', /\|/y],
  ['(', /\(/y],
  [')', /\)/y],
  [',', /,/y],
];

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

const spaceStart = /^[ \t\r\n]+/;

class Lexer {
  readonly #name: string;
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  #trimNext = false;

  constructor(name: string, source: string) {
    this.#name = name;
    this.#source = source;
  }

  run(): Token[] {
    if (this.#source.length > templateLengthMax) {
      throw new TemplateParseError(this.#name, 1, `template is longer than ${templateLengthMax} characters`);
    }
    while (this.#at < this.#source.length) {
      this.#text();
      if (this.#at < this.#source.length) this.#action();
    }
    this.#push('end', '');
    return this.#tokens;
  }

  #fail(reason: string): TemplateParseError {
    return new TemplateParseError(this.#name, this.#line, reason);
  }

  #push(kind: TokenKind, text: string): void {
    this.#tokens.push({ kind, text, line: this.#line });
  }

  /** Text up to the next `{{` or the end. */
  #text(): void {
    const found = this.#source.indexOf('{{', this.#at);
    const end = found < 0 ? this.#source.length : found;
    const raw = this.#source.slice(this.#at, end);
    let text = raw;
    if (this.#trimNext) text = text.replace(spaceStart, '');
    this.#trimNext = false;
    if (found >= 0 && this.#trimsLeft(found)) text = trimEnd(text);
    if (text !== '') this.#push('text', text);
    this.#line += countLines(raw);
    this.#at = end;
  }

  #trimsLeft(open: number): boolean {
    return this.#source[open + 2] === '-' && /[ \t\r\n]/.test(this.#source[open + 3] ?? '');
  }

  #action(): void {
    this.#at += this.#trimsLeft(this.#at) ? 3 : 2;
    if (this.#comment()) return;
    this.#push('open', '{{');
    let depth = 0;
    while (!this.#close()) {
      const token = this.#next();
      if (token === '(') depth++;
      if (token === ')' && --depth < 0) throw this.#fail('unexpected right paren');
    }
    if (depth > 0) throw this.#fail('unclosed left paren');
    this.#push('close', '}}');
  }

  #comment(): boolean {
    const start = /[ \t\r\n]*\/\*/y;
    start.lastIndex = this.#at;
    if (!start.test(this.#source)) return false;
    const end = this.#source.indexOf('*/', start.lastIndex);
    if (end < 0) throw this.#fail('unclosed comment');
    this.#line += countLines(this.#source.slice(this.#at, end));
    this.#at = end + 2;
    if (!this.#close()) throw this.#fail('comment ends before closing delimiter');
    return true;
  }

  /** Steps over `}}` or ` -}}` if it is next. */
  #close(): boolean {
    const trimmed = /[ \t\r\n]+-\}\}/y;
    trimmed.lastIndex = this.#at;
    if (trimmed.test(this.#source)) {
      this.#line += countLines(this.#source.slice(this.#at, trimmed.lastIndex));
      this.#at = trimmed.lastIndex;
      this.#trimNext = true;
      return true;
    }
    if (!this.#source.startsWith('}}', this.#at)) return false;
    this.#at += 2;
    return true;
  }

  #next(): TokenKind {
    if (this.#at >= this.#source.length) throw this.#fail('unclosed action');
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = this.#at;
      const match = pattern.exec(this.#source);
      if (match === null) continue;
      const text = match[0];
      this.#at += text.length;
      this.#push(kind, kind === 'field' || kind === 'variable' ? text.slice(1) : text);
      this.#line += countLines(text);
      return kind;
    }
    const char = this.#source[this.#at] ?? '';
    if (char === '"') throw this.#fail('unterminated quoted string');
    if (char === '`') throw this.#fail('unterminated raw quoted string');
    throw this.#fail(`unexpected ${JSON.stringify(char)} in action`);
  }
}

/** Linear, unlike a `\s+$` pattern on text with many inner blanks. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Throws TemplateParseError. */
export function lexTemplate(name: string, source: string): Token[] {
  return new Lexer(name, source).run();
}
