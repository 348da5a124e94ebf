/**
 * Fetches everything a query reads before it is evaluated: each selector with exactly the time range that its
 * offset, `@`, range and enclosing subqueries reach. Selectors that ask for the same thing share one request.
 */

import type { SeriesColumns } from '../../model/index.ts';
import { ExecutionError, QueryError } from '../errors.ts';
import { resolveDuration } from '../parse/durations.ts';
import {
  type AggregateExpr,
  type BinaryExpr,
  type Expr,
  type Fragment,
  type VectorSelector,
  walk,
} from '../parse/tree.ts';
import type { RemoteSource, SelectRequest, Storage } from '../types.ts';
import { bucketlessSelectors, withoutBuckets } from './bucketless.ts';
import type { QueryContext } from './context.ts';
import { type Grid, instantReach, lookupsOf, rangeReach, subqueryGrid } from './grid.ts';

/** What the enclosing expressions tell a storage about a selector's use. */
interface Hints {
  readonly func?: string;
  readonly grouping?: readonly string[];
  readonly by?: boolean;
}

interface Read {
  readonly request: SelectRequest;
  readonly nodes: VectorSelector[];
}

/** Where the data of a query comes from. */
export interface Sources {
  readonly storage: Storage;
  /** For expressions with remote leaves. */
  readonly remote?: RemoteSource;
}

/** Fills the context's data. Requests run side by side. */
export async function prefetch(
  expr: Expr,
  grid: Grid,
  context: QueryContext,
  sources: Sources,
  signal: AbortSignal,
): Promise<void> {
  const plan = new ReadPlan(context);
  plan.visit(expr, grid, {});
  const bucketless = bucketlessSelectors(expr);
  const reads = [...plan.reads.values()].map(async ({ request, nodes }) => {
    const series: readonly SeriesColumns[] = await sources.storage.select(request, signal);
    context.holdData(series.length, bytesOf(series));
    for (const node of nodes) {
      context.data.set(node, bucketless.has(node) ? series.map(withoutBuckets) : series);
    }
  });
  const remotes = [...plan.fragments.values()].map(async (fragment) => {
    if (sources.remote === undefined) throw new ExecutionError(`there is no source for ${fragment.text}`);
    const result = await sources.remote.fetch(fragment, signal).catch(failureOfExpression);
    context.remote.set(fragment.id, result);
  });
  await Promise.all([...reads, ...remotes]);
}

/** Which of several failures a query ends with is not for the quickest place to say. Throws errors of other kinds. */
function failureOfExpression(error: unknown): QueryError {
  if (error instanceof QueryError && error.errorType === 'execution') return error;
  throw error;
}

class ReadPlan {
  readonly reads: Map<string, Read> = new Map<string, Read>();
  readonly fragments: Map<number, Fragment> = new Map<number, Fragment>();
  readonly #context: QueryContext;

  constructor(context: QueryContext) {
    this.#context = context;
  }

  visit(expr: Expr, grid: Grid, hints: Hints): void {
    const { times, options } = this.#context;
    if (grid.steps === 0) this.#nothing(expr);
    else if (expr.kind === 'vector') {
      const reach = instantReach(expr, grid, times, options.lookbackMs);
      const needed = expr.extension === 'smoothed' ? {} : { newestAt: lookupsOf(expr, grid, times) };
      this.#add(expr, { matchers: expr.matchers, ...reach, stepMs: grid.stepMs, ...needed, ...hints });
    } else if (expr.kind === 'matrix') {
      const rangeMs = resolveDuration(expr.range, times, 'positive');
      const reach = rangeReach(expr, grid, times, options.lookbackMs);
      const { matchers } = expr.selector;
      this.#add(expr.selector, { matchers, ...reach, stepMs: grid.stepMs, rangeMs, ...hints });
    } else if (expr.kind === 'subquery') {
      this.visit(expr.expr, subqueryGrid(expr, grid, times, options.subqueryStepMs), {});
    } else this.#inner(expr, grid, hints);
  }

  #inner(expr: Exclude<Expr, { kind: 'vector' | 'matrix' | 'subquery' }>, grid: Grid, hints: Hints): void {
    switch (expr.kind) {
      case 'number':
      case 'string':
        return;
      case 'remote':
        this.fragments.set(expr.fragment.id, expr.fragment);
        return;
      case 'paren':
      case 'unary':
        this.visit(expr.expr, grid, hints);
        return;
      case 'binary':
        this.#binary(expr, grid);
        return;
      case 'aggregate':
        if (expr.param !== undefined) this.visit(expr.param, grid, {});
        this.visit(expr.expr, grid, aggregateHints(expr));
        return;
      case 'call': {
        const { grouping, by } = hints;
        const kept = grouping === undefined ? {} : { grouping, by: by === true };
        for (const arg of expr.args) this.visit(arg, grid, { ...kept, func: expr.func });
      }
    }
  }

  /** A long chain leans to the left: followed without recursion. */
  #binary(expr: BinaryExpr, grid: Grid): void {
    const right: Expr[] = [];
    let leftmost: Expr = expr;
    for (; leftmost.kind === 'binary'; leftmost = leftmost.lhs) right.push(leftmost.rhs);
    this.visit(leftmost, grid, {});
    for (const operand of right.toReversed()) this.visit(operand, grid, {});
  }

  /** A subquery whose window holds no step: its selectors read nothing. */
  #nothing(expr: Expr): void {
    walk(expr, (node) => {
      if (node.kind === 'vector') this.#context.data.set(node, []);
    });
  }

  #add(node: VectorSelector, request: SelectRequest): void {
    const matchers = request.matchers.map((matcher) => matcher.toString()).join(',');
    const { fromMs, toMs, rangeMs, func, newestAt } = request;
    const kind = newestAt === undefined ? 'all' : `${newestAt.stepMs}x${newestAt.steps}`;
    const key = `${fromMs} ${toMs} ${kind} ${rangeMs ?? ''} ${func ?? ''} ${matchers}`;
    const read = this.reads.get(key);
    if (read === undefined) this.reads.set(key, { request, nodes: [node] });
    else read.nodes.push(node);
  }
}

function aggregateHints(expr: AggregateExpr): Hints {
  return { func: expr.op, grouping: expr.grouping, by: !expr.without };
}

/** About what a native histogram of a few dozen buckets takes, and what a series takes beside its columns. */
const histogramBytes = 400;
const seriesBytes = 200;

/** What series hold; columns of times that follow one another are often one and the same. */
function bytesOf(series: readonly SeriesColumns[]): number {
  let bytes = 0;
  let times: Float64Array | undefined;
  for (const { timestamps, values, histograms } of series) {
    bytes += values.byteLength + seriesBytes;
    if (timestamps !== times) bytes += timestamps.byteLength;
    times = timestamps;
    if (histograms !== undefined) bytes += histograms.length * histogramBytes;
  }
  return bytes;
}
