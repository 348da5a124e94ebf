/**
 * The tokens of a text with one of them in sight, and the words for a token that can't stand where it does: in which
 * part of an expression, and what could. The innermost part that has such words gives them.
 */
import { ParseError } from '../errors.ts';
import { Lexer } from './lexer.ts';
import { describe, type Token, type TokenKind } from './tokens.ts';

/** Tokens of one text. */
const tokensMax = 200_000;
/** Parts of an expression inside each other: reading them recurses, several calls a level. */
export const depthMax = 500;

export class TokenReader {
  readonly text: string;
  readonly #lexer: Lexer;
  #ahead: Token | undefined;
  #taken = 0;
  #depth = 0;
  /** Of the part that is being read, e.g. ` in offset, expected number`. */
  #context = '';

  constructor(text: string) {
    this.text = text;
    this.#lexer = new Lexer(text);
  }

  /** Reads no further than to the next token, and that only once it is asked for. */
  peek(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  is(kind: TokenKind): boolean {
    return this.peek().kind === kind;
  }

  take(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    if (++this.#taken > tokensMax) this.fail(token.start, 'expression has too many parts');
    return token;
  }

  takeIf(kind: TokenKind): Token | undefined {
    return this.is(kind) ? this.take() : undefined;
  }

  /** Throws ParseError when the next token is another. */
  expect(kind: TokenKind): Token {
    return this.is(kind) ? this.take() : this.unexpected();
  }

  fail(at: number, reason: string): never {
    throw new ParseError(this.text, at, reason);
  }

  unexpected(): never {
    const token = this.peek();
    this.fail(token.start, `unexpected ${describe(token)}${this.#context}`);
  }

  /** Runs `read` with the words for a token that it does not expect. */
  within<Value>(part: string, expected: string, read: () => Value): Value {
    const outer = this.#context;
    this.#context = expected === '' ? ` in ${part}` : ` in ${part}, expected ${expected}`;
    const value = read();
    this.#context = outer;
    return value;
  }

  /** One level deeper, until `ascend`. */
  descend(): void {
    if (++this.#depth > depthMax) {
      this.fail(0, `expression is nested more than ${depthMax} levels deep`);
    }
  }

  ascend(): void {
    this.#depth--;
  }
}
