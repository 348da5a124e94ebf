/**
 * The words of the language: what the lexer hands to the parser, and how an error message names each.
 */
import { quoteGo } from '../../model/index.ts';

/**
 * Keywords, operators and brackets are their own kind, in lower case. `metric` is a name with a colon; names that
 * are no keyword are `identifier`, `inf` and `nan` are `number`.
 */
export type TokenKind = 'number' | 'duration' | 'string' | 'identifier' | 'metric' | 'eof' | Keyword | Symbol;

export type Keyword = AggregateWord | WordOperator | ModifierWord | Preprocessor;
export type AggregateWord = (typeof aggregateWords)[number];
type WordOperator = (typeof wordOperators)[number];
type ModifierWord = (typeof modifierWords)[number];
type Preprocessor = (typeof preprocessors)[number];
type Symbol = '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' | '=' | OperatorSymbol;
type OperatorSymbol =
  | ('+' | '-' | '*' | '/' | '%' | '^' | '@' | '</' | '>/')
  | ('==' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~');

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

// biome-ignore format: a list of words
const aggregateWords = [
  'sum', 'avg', 'count', 'min', 'max', 'group', 'stddev', 'stdvar', 'topk', 'bottomk', 'quantile', 'count_values',
  'limitk', 'limit_ratio',
] as const;
const wordOperators = ['and', 'or', 'unless', 'atan2'] as const;
// biome-ignore format: a list of words
const modifierWords = [
  'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'offset', 'bool', 'fill', 'fill_left', 'fill_right',
  'anchored', 'smoothed',
] as const;
const preprocessors = ['start', 'end', 'step', 'range', 'min_of', 'max_of'] as const;

const isKindOf = <Kind extends string>(kinds: readonly Kind[]): ((kind: string) => kind is Kind) => {
  const known: ReadonlySet<string> = new Set(kinds);
  return (kind): kind is Kind => known.has(kind);
};

export const isAggregateWord: (kind: string) => kind is AggregateWord = isKindOf(aggregateWords);
const isWordOperator = isKindOf(wordOperators);
const isModifierWord = isKindOf(modifierWords);
/** Words that stand for a time or a duration before an empty pair of parentheses, or for a duration before two. */
export const isPreprocessor: (kind: string) => kind is Preprocessor = isKindOf(preprocessors);

const keywords = new Set<string>([...aggregateWords, ...wordOperators, ...modifierWords, ...preprocessors]);

/** The kind of a word outside braces. */
export function kindOfWord(word: string): TokenKind {
  const lower = word.toLowerCase();
  if (keywords.has(lower)) return lower as Keyword;
  if (lower === 'inf' || lower === 'nan') return 'number';
  return word.includes(':') ? 'metric' : 'identifier';
}

/** Keywords that can't be a metric's name without quotes. */
const neverMetrics: ReadonlySet<string> = new Set(
  ['bool', 'on', 'ignoring', 'group_left', 'group_right'].concat('atan2'),
);

/** Whether the token can be a metric's name. */
export function canBeMetric({ kind }: Token): boolean {
  return isWord(kind) && !neverMetrics.has(kind);
}

/** Whether the token can be a label's name in a list of labels. */
export function canBeLabel({ kind }: Token): boolean {
  return isWord(kind) && kind !== 'without';
}

function isWord(kind: TokenKind): boolean {
  return kind === 'identifier' || kind === 'metric' || keywords.has(kind);
}

const beginnings: ReadonlySet<string> = new Set(['number', 'duration', 'string', '(', '{', '+', '-']);

/** Whether an expression may begin with the token. */
export function canBegin(token: Token): boolean {
  return beginnings.has(token.kind) || canBeMetric(token);
}

/** Longer texts are cut in messages. */
const shownMax = 10;

/** As an error message names it, e.g. `identifier "foo"`. */
export function describe({ kind, text }: Token): string {
  switch (kind) {
    case 'eof':
      return 'end of input';
    case 'identifier':
      return `identifier ${quoteGo(text)}`;
    case 'metric':
      return `metric identifier ${quoteGo(text)}`;
    case 'number':
    case 'duration':
    case 'string':
      return `${kind} ${shortened(text)}`;
  }
  if (isModifierWord(kind)) return `<${text}>`;
  if (isAggregateWord(kind)) return `<aggr:${text}>`;
  if (isWordOperator(kind)) return `<op:${text}>`;
  return '(){}[],:='.includes(kind) || isPreprocessor(kind) ? shortened(text) : `<op:${text}>`;
}

function shortened(text: string): string {
  if (Buffer.byteLength(text) <= shownMax) return quoteGo(text);
  return `${quoteGo(Array.from(text).slice(0, shownMax).join(''))}...`;
}
