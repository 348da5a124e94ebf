/** Lists of labels in parentheses and of matchers in braces, and the selectors that these make. */
import { errorText } from '../../base/index.ts';
import { Matcher, MatchType, metricNameLabel } from '../../model/index.ts';
import { unquote } from './literals.ts';
import type { TokenReader } from './token_reader.ts';
import { canBeLabel, canBeMetric, type Token, type TokenKind } from './tokens.ts';
import type { VectorSelector } from './tree.ts';

const matchTypes: Partial<Record<TokenKind, MatchType>> = {
  '=': MatchType.Equal,
  '!=': MatchType.NotEqual,
  '=~': MatchType.Regexp,
  '!~': MatchType.NotRegexp,
};

/** A name, matchers in braces, or both. */
export function parseVectorSelector(reader: TokenReader): VectorSelector {
  const first = reader.peek();
  if (first.kind === '{') return selector(reader, undefined);
  if (!canBeMetric(first)) return reader.unexpected();
  return selector(reader, reader.take());
}

/** `name` has been taken. */
export function selector(reader: TokenReader, name: Token | undefined): VectorSelector {
  const open = reader.takeIf('{');
  const start = (name ?? open ?? reader.peek()).start;
  const { matchers, end } =
    open === undefined ? { matchers: [], end: name?.end ?? start } : matcherList(reader);
  if (name !== undefined) matchers.push(Matcher.create(MatchType.Equal, metricNameLabel, name.text));
  return { kind: 'vector', span: { start, end }, name: name?.text ?? '', matchers };
}

/** The brace that opens has been taken. */
function matcherList(reader: TokenReader): { matchers: Matcher[]; end: number } {
  const matchers: Matcher[] = [];
  for (;;) {
    const close = reader.takeIf('}');
    if (close !== undefined) return { matchers, end: close.end };
    matchers.push(matcher(reader));
    const last = reader.within('label matching', '"," or "}"', () =>
      reader.is('}') ? reader.take() : void reader.expect(','),
    );
    if (last !== undefined) return { matchers, end: last.end };
  }
}

function matcher(reader: TokenReader): Matcher {
  const label = reader.within('label matching', 'identifier or "}"', () =>
    reader.is('string') ? reader.take() : reader.expect('identifier'),
  );
  const name = label.kind === 'string' ? textOf(reader, label) : label.text;
  const type = matchTypes[reader.peek().kind];
  if (type === undefined) {
    // A name in quotes alone is the metric's.
    if (label.kind === 'string') return Matcher.create(MatchType.Equal, metricNameLabel, name);
    return reader.within('label matching', 'label matching operator', () => reader.unexpected());
  }
  reader.take();
  const value = reader.within('label matching', 'string', () => reader.expect('string'));
  try {
    return Matcher.create(type, name, textOf(reader, value));
  } catch (error) {
    return reader.fail(label.start, errorText(error));
  }
}

/** The value of a string that the lexer has let pass. */
export function textOf(reader: TokenReader, { text, start }: Token): string {
  return unquote(text) ?? reader.fail(start, `error unquoting string ${text}: invalid syntax`);
}

/** Names in parentheses. */
export function parseGroupingLabels(reader: TokenReader): { labels: string[]; end: number } {
  reader.within('grouping opts', '"("', () => reader.expect('('));
  const labels: string[] = [];
  for (;;) {
    const close = reader.takeIf(')');
    if (close !== undefined) return { labels, end: close.end };
    labels.push(reader.within('grouping opts', 'label', () => groupingLabel(reader)));
    const last = reader.within('grouping opts', '"," or ")"', () =>
      reader.is(')') ? reader.take() : void reader.expect(','),
    );
    if (last !== undefined) return { labels, end: last.end };
  }
}

function groupingLabel(reader: TokenReader): string {
  const token = reader.peek();
  if (token.kind !== 'string') return canBeLabel(token) ? reader.take().text : reader.unexpected();
  const name = textOf(reader, reader.take());
  if (name === '') reader.fail(token.start, 'invalid label name for grouping: ""');
  return name;
}
