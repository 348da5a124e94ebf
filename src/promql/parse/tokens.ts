/**
 * The tokens of a text up to the place where the grammar stumbled, read as Prometheus' lexer does: what may stand
 * inside braces and brackets is less than outside, and a character that may not is an error of its own.
 */
import { ParseError } from '../errors.ts';

export interface Token {
  readonly text: string;
  readonly start: number;
  /** As an error message names it, e.g. `identifier "foo"`. */
  readonly shown: string;
}

export interface TokenPrefix {
  readonly tokens: readonly Token[];
  /** The token at the place itself; undefined at the end of the text. */
  readonly at: Token | undefined;
  /** Brackets that are open there, outermost first. */
  readonly open: readonly string[];
}

const keywords: ReadonlySet<string> = new Set(
  ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'offset', 'bool'].concat([
    'fill',
    'fill_left',
    'fill_right',
    'anchored',
    'smoothed',
  ]),
);
const wordOperators: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'atan2']);
const aggregators: ReadonlySet<string> = new Set([
  ...['sum', 'avg', 'count', 'min', 'max', 'group', 'stddev', 'stdvar'],
  ...['topk', 'bottomk', 'quantile', 'count_values', 'limitk', 'limit_ratio'],
]);
const durationWords: ReadonlySet<string> = new Set(['step', 'range', 'min_of', 'max_of']);

const blank = /\s+|#[^\n]*/y;
const literal = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|`[^`]*`/y;
/** Whatever begins like a number, to be judged as a whole. */
const numeric = /(?:\d|\.\d)(?:[eE][+-](?=\d)|[0-9a-zA-Z_.])*/y;
const identifier = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const operator = /==|!=|<=|>=|=~|!~|<\/|>\/|[-+*/%^<>=@(){}[\],:]/y;
const insideBraces = /=~|!~|!=|=|,|\}/y;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/y;

const plainNumber = /^(?:0x[0-9a-f]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?)$/i;
const duration = /^(?:\d+(?:ms|[ywdhms]))+$/;

/** Throws ParseError at a character or literal before `endOffset` that is none of the language. */
export function tokensUntil(text: string, endOffset: number): TokenPrefix {
  const tokens: Token[] = [];
  const open: string[] = [];
  let at = 0;
  for (;;) {
    at = skipBlanks(text, at);
    if (at >= text.length) return { tokens, at: undefined, open };
    const word = nextWord(text, at, open.at(-1));
    const token = { text: word, start: at, shown: describe(word) };
    if (at >= endOffset) return { tokens, at: token, open };
    track(text, token, open);
    tokens.push(token);
    at += word.length;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  for (let word = match(blank, text, at); word !== undefined; word = match(blank, text, at))
    at += word.length;
  return at;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function track(text: string, token: Token, open: string[]): void {
  if ('([{'.includes(token.text)) open.push(token.text);
  else if (')]}'.includes(token.text)) {
    if (token.text === ')' && !open.includes('(')) throw unexpectedParenthesis(text, token.start);
    open.pop();
  }
}

function unexpectedParenthesis(text: string, at: number): ParseError {
  return new ParseError(text, at + 1, "unexpected right parenthesis ')'");
}

function nextWord(text: string, at: number, inside: string | undefined): string {
  if (inside === '{') return wordInBraces(text, at);
  const quoted = match(literal, text, at);
  if (quoted !== undefined) {
    if (inside === '[')
      throw new ParseError(text, at, `unexpected character in duration expression: '${quoted[0]}'`);
    return quoted;
  }
  const number = match(numeric, text, at);
  if (number !== undefined) {
    if (plainNumber.test(number) || duration.test(number)) return number;
    throw new ParseError(text, at, `bad number or duration syntax: ${JSON.stringify(number)}`);
  }
  const word = match(identifier, text, at);
  if (word !== undefined) {
    if (inside === '[' && !word.startsWith(':') && !durationWords.has(word.toLowerCase())) {
      throw new ParseError(text, at, `unexpected character: '${word[0]}', expected ':'`);
    }
    return word;
  }
  const symbol = match(operator, text, at);
  if (symbol === undefined) throw badCharacter(text, at);
  if (symbol === '=~' || symbol === '!~') {
    throw new ParseError(text, at, `unexpected character after '${symbol[0]}': '~'`);
  }
  if (symbol === '}') throw new ParseError(text, at, "unexpected character: '}'");
  if (symbol === ')' && inside === undefined) throw unexpectedParenthesis(text, at);
  if (symbol === ']' && inside === undefined) throw new ParseError(text, at, "unexpected right bracket ']'");
  return symbol;
}

function wordInBraces(text: string, at: number): string {
  const word = match(literal, text, at) ?? match(labelName, text, at) ?? match(insideBraces, text, at);
  if (word !== undefined) return word;
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if ('"\'`'.includes(char)) throw badCharacter(text, at);
  throw new ParseError(text, at, `unexpected character inside braces: '${char}'`);
}

function badCharacter(text: string, at: number): ParseError {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (char === '"' || char === "'") return new ParseError(text, at, 'unterminated quoted string');
  if (char === '`') return new ParseError(text, at, 'unterminated raw string');
  const next = text[at + 1];
  if (char === '!' && next !== undefined) {
    return new ParseError(text, at, `unexpected character after '!': '${next}'`);
  }
  return new ParseError(text, at, `unexpected character: '${char}'`);
}

function describe(word: string): string {
  const lower = word.toLowerCase();
  if (/^["'`]/.test(word)) return `string ${shortened(word)}`;
  if (duration.test(word)) return `duration ${shortened(word)}`;
  if (/^\.?\d/.test(word)) return `number ${shortened(word)}`;
  if (keywords.has(lower)) return `<${word}>`;
  if (wordOperators.has(lower)) return `<op:${word}>`;
  if (aggregators.has(lower)) return `<aggr:${word}>`;
  if (/^[a-zA-Z_:]/.test(word)) {
    return `${word.includes(':') ? 'metric identifier' : 'identifier'} ${JSON.stringify(word)}`;
  }
  return '(){}[],:='.includes(word) ? JSON.stringify(word) : `<op:${word}>`;
}

function shortened(word: string): string {
  return word.length > 10 ? `${JSON.stringify(word.slice(0, 10))}...` : JSON.stringify(word);
}
