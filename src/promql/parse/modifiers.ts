/** `offset`, `@`, `anchored`, `smoothed` and ranges: what they may stand behind, and what they make of it. */
import { parseNumberToken } from './duration_parser.ts';
import type { TokenReader } from './token_reader.ts';
import type { Token } from './tokens.ts';
import type { AtModifier, DurationNode, Expr, SubqueryExpr, VectorSelector } from './tree.ts';

const selectors = 'an instant vector selector or range vector selector or a subquery';

export function makeRange(
  reader: TokenReader,
  expr: Expr,
  range: DurationNode,
  { open, close }: { readonly open: Token; readonly close: Token },
): Expr {
  // As Prometheus reports it, at the bracket and not at the modifier.
  if (expr.kind !== 'vector') return reader.fail(open.start, 'ranges only allowed for vector selectors');
  if (isOffset(expr)) reader.fail(open.start, 'no offset modifiers allowed before range');
  if (expr.at !== undefined) reader.fail(open.start, 'no @ modifiers allowed before range');
  const span = { start: expr.span.start, end: close.end };
  return { kind: 'matrix', span, selector: expr, range };
}

export function applyOffset(reader: TokenReader, expr: Expr, offset: DurationNode): Expr {
  const target = modified(reader, expr, 'offset modifier');
  if (isOffset(target)) reader.fail(expr.span.start, 'offset may not be set multiple times');
  return replaceModified(expr, { offset }, offset.span.end);
}

/** An offset of zero can be set once more. */
function isOffset({ offset }: { readonly offset?: DurationNode }): boolean {
  return offset !== undefined && !(offset.kind === 'seconds' && Math.round(offset.seconds * 1e9) === 0);
}

/** The `@` has been taken. */
export function applyAt(reader: TokenReader, expr: Expr): Expr {
  const start = expr.span.start;
  const { at, end } = reader.within('@', 'timestamp', () => parseTime(reader, start));
  const target = modified(reader, expr, '@ modifier');
  if (target.at !== undefined) reader.fail(start, '@ <timestamp> may not be set multiple times');
  return replaceModified(expr, { at }, end);
}

function parseTime(reader: TokenReader, selectorStart: number): { at: AtModifier; end: number } {
  const word = reader.takeIf('start') ?? reader.takeIf('end');
  if (word !== undefined) {
    reader.expect('(');
    return { at: { kind: word.kind === 'start' ? 'start' : 'end' }, end: reader.expect(')').end };
  }
  const sign = reader.takeIf('-') ?? reader.takeIf('+');
  if (!reader.is('number') && !reader.is('duration')) reader.unexpected();
  const { value, span } = parseNumberToken(reader);
  const seconds = sign?.kind === '-' ? -value : value;
  if (!(Math.abs(seconds) < 2 ** 63)) {
    reader.fail(selectorStart, `timestamp out of bounds for @ modifier: ${fixed(seconds)}`);
  }
  return { at: { kind: 'timestamp', timestampMs: roundHalfAway(seconds * 1000) }, end: span.end };
}

/** With six decimals, however large. */
function fixed(value: number): string {
  if (Number.isFinite(value)) return `${BigInt(value)}.000000`;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

function modified(reader: TokenReader, expr: Expr, what: string): VectorSelector | SubqueryExpr {
  if (expr.kind === 'vector' || expr.kind === 'subquery') return expr;
  if (expr.kind === 'matrix') return expr.selector;
  return reader.fail(expr.span.start, `${what} must be preceded by ${selectors}`);
}

export function applyExtension(
  reader: TokenReader,
  expr: Expr,
  extension: 'anchored' | 'smoothed',
  isEnabled: boolean,
): Expr {
  const start = expr.span.start;
  if (!isEnabled) reader.fail(start, `${extension} modifier is experimental and not enabled`);
  if (expr.kind === 'subquery') reader.fail(start, `${extension} modifier is not supported for subqueries`);
  if (expr.kind !== 'vector' && expr.kind !== 'matrix') {
    return reader.fail(start, `${extension} modifier not implemented`);
  }
  const target = expr.kind === 'vector' ? expr : expr.selector;
  if (target.extension !== undefined && target.extension !== extension) {
    reader.fail(start, 'anchored and smoothed modifiers cannot be used together');
  }
  return replaceModified(expr, { extension }, expr.span.end);
}

/** Sets modifiers on a selector or subquery, those of a range selector on its inner selector. */
function replaceModified(expr: Expr, change: Partial<VectorSelector>, end: number): Expr {
  const span = { start: expr.span.start, end };
  if (expr.kind === 'matrix') return { ...expr, span, selector: { ...expr.selector, ...change } };
  if (expr.kind === 'vector') return { ...expr, span, ...change };
  if (expr.kind !== 'subquery') return expr;
  const { offset, at } = change;
  return { ...expr, span, ...(offset === undefined ? {} : { offset }), ...(at === undefined ? {} : { at }) };
}
