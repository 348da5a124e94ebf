/**
 * What Prometheus would say about a text that the grammar refused. The grammar only tells where it stumbled;
 * here the tokens are read as Prometheus' lexer does, so that bad characters and unclosed brackets get their own
 * messages and anything else becomes "unexpected TOKEN in CONTEXT, expected WHAT".
 */
import type { SyntaxNode } from '@lezer/common';
import { ParseError } from '../errors.ts';
import { isFunctionName } from '../functions/signatures.ts';

interface Token {
  readonly text: string;
  readonly start: number;
  /** As an error message names it, e.g. `identifier "foo"`. */
  readonly shown: string;
}

const keywords: ReadonlySet<string> = new Set(
  'by without on ignoring group_left group_right offset bool fill fill_left fill_right anchored smoothed'.split(
    ' ',
  ),
);
const wordOperators: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'atan2']);
const aggregators: ReadonlySet<string> = new Set(
  'sum avg count min max group stddev stdvar topk bottomk quantile count_values limitk limit_ratio'.split(
    ' ',
  ),
);

/** The error for a tree whose first error node is `error`. */
export function diagnose(text: string, error: SyntaxNode): ParseError {
  const tokens = tokenize(text);
  if (tokens.length === 0) return new ParseError(text, 0, 'no expression found in input');
  const previous = tokens.findLast((candidate) => candidate.start < error.from);
  const token = tokens.find((candidate) => candidate.start >= error.from);
  if (token?.text === '(' && previous !== undefined && isCallable(previous)) {
    const reason = `unknown function with name ${JSON.stringify(previous.text)}`;
    return new ParseError(text, previous.start, reason);
  }
  if (token?.text === ')' && previous?.text === ',' && error.parent?.name === 'FunctionCallBody') {
    return new ParseError(text, previous.start, 'trailing commas not allowed in function call args');
  }
  if (token === undefined) {
    const unclosed = unclosedBracket(tokens);
    if (unclosed !== undefined) return new ParseError(text, text.length, unclosed);
  }
  const shown = token === undefined ? 'end of input' : token.shown;
  const start = token === undefined ? text.length : token.start;
  return new ParseError(text, start, `unexpected ${shown}${contextOf(error)}`);
}

function isCallable(token: Token): boolean {
  return token.shown.startsWith('identifier') && !isFunctionName(token.text);
}

/** Where the error sits, as Prometheus phrases it. */
function contextOf(error: SyntaxNode): string {
  for (let node = error.parent; node !== null; node = node.parent) {
    switch (node.name) {
      case 'UnquotedLabelMatcher':
      case 'QuotedLabelMatcher':
        return node.getChild('MatchOp') === null
          ? ' in label matching, expected label matching operator'
          : ' in label matching, expected string';
      case 'LabelMatchers':
        return node.firstChild === null || node.firstChild.type.isError
          ? ' in label matching, expected identifier or "}"'
          : ' in label matching, expected "," or "}"';
      case 'GroupingLabels':
        return ' in grouping opts, expected "," or ")"';
      case 'AggregateExpr':
        return ' in aggregation';
      case 'OffsetExpr':
        return ' in offset, expected number, duration, step(), or range()';
      case 'StepInvariantExpr':
        return ' in @, expected timestamp';
      case 'FunctionCallBody':
      case 'ParenExpr':
      case 'PromQL':
        return '';
    }
  }
  return '';
}

function unclosedBracket(tokens: readonly Token[]): string | undefined {
  const open: string[] = [];
  for (const token of tokens) {
    if ('([{'.includes(token.text)) open.push(token.text);
    else if (')]}'.includes(token.text)) open.pop();
  }
  switch (open.at(-1)) {
    case '(':
      return 'unclosed left parenthesis';
    case '[':
      return 'unclosed left bracket';
    case '{':
      return 'unexpected end of input inside braces';
    default:
      return undefined;
  }
}

const tokenPattern =
  /\s+|#[^\n]*|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|`[^`]*`|0x[0-9a-fA-F]+|(?:\d+(?:ms|[ywdhms]))+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?|[a-zA-Z_:][a-zA-Z0-9_:]*|==|!=|<=|>=|=~|!~|<\/|>\/|[-+*/%^<>=@(){}[\],:]/y;

/** Tokens without blanks and comments. Throws ParseError at a character or literal that is none. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (match === null) throw badCharacter(text, at);
    const word = match[0];
    if (word === '(') depth++;
    if (word === ')' && --depth < 0) {
      throw new ParseError(text, at, `unexpected right parenthesis ')'`);
    }
    if (!/^[\s#]/.test(word)) tokens.push({ text: word, start: at, shown: describe(word) });
    at += word.length;
  }
  return tokens;
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
  if (/^(?:\d+(?:ms|[ywdhms]))+$/.test(word)) return `duration ${shortened(word)}`;
  if (/^\.?\d/.test(word)) return `number ${shortened(word)}`;
  if (keywords.has(lower)) return `<${word}>`;
  if (wordOperators.has(lower)) return `<op:${word}>`;
  if (aggregators.has(lower)) return `<aggr:${word}>`;
  if (/^[a-zA-Z_:]/.test(word)) {
    return `${word.includes(':') ? 'metric identifier' : 'identifier'} ${JSON.stringify(word)}`;
  }
  if ('(){}[],:='.includes(word)) return JSON.stringify(word);
  return `<op:${word}>`;
}

function shortened(word: string): string {
  return word.length > 10 ? `${JSON.stringify(word.slice(0, 10))}...` : JSON.stringify(word);
}
