/**
 * Draws queries over the metrics that the peers' tests have, with everything nested into everything; same seed, same
 * queries. Subqueries name their step: between windows that lie apart Prometheus evaluates points that nobody uses, and
 * may refuse what ours never looks at; with the default step of a minute that would happen often.
 */
import type { Random } from '../../src/base/index.ts';

const selectors = [
  'up',
  'up{job!="down"}',
  'nothing',
  'go_goroutines',
  'go_info',
  'go_gc_duration_seconds',
  '{__name__=~"go_gc_.*"}',
  'node_load1',
  'node_cpu_seconds_total',
  'node_cpu_seconds_total{mode=~"idle|user"}',
  'process_cpu_seconds_total',
  'prometheus_http_requests_total',
  'prometheus_http_request_duration_seconds_bucket{handler="/metrics"}',
  'scrape_duration_seconds',
];
const shifts = ['', '', '', ' offset 5s', ' offset -2s', ' @ end()', ' @ start()'];
const ranges = ['5s', '10s', '17s', '30s'];
const overRanges = [
  ...['rate', 'increase', 'irate', 'delta', 'idelta', 'deriv', 'resets', 'changes'],
  ...['avg', 'min', 'max', 'sum', 'count', 'last', 'stddev', 'stdvar', 'present', 'absent', 'mad'].map(
    (name) => `${name}_over_time`,
  ),
];
const groupings = ['', ' by (job)', ' by (instance, mode)', ' without (instance)', ' by ()', ' without ()'];
const aggregations = ['sum', 'avg', 'min', 'max', 'count', 'stddev', 'stdvar', 'group'];
const operators = [...'+-*/%^', '==', '!=', '>', '<', '>=', '<=', '> bool', '== bool', 'atan2'];
const matchings = [
  ...['', '', ' on (job, instance)', ' ignoring (mode, cpu)', ' on (job, instance) group_left'],
  ...[' on (job, instance) group_left (mode)', ' on (job) group_right', ' ignoring (mode) group_left'],
];
const unary = ['abs', 'ceil', 'sqrt', 'ln', 'sgn', '-', 'timestamp', 'absent', 'exp', 'round', 'scalar'];

/** A query whose parts are nested up to `depth` deep. Not all are valid: refusals are compared too. */
export function randomQuery(random: Random, depth: number): string {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const selector = (): string => pick(selectors);
  const range = (): string => pick(ranges);
  const leaves: readonly (() => string)[] = [
    () => selector() + pick(shifts),
    () => selector() + pick(shifts),
    () => pick(['0', '1', '2.5', '-3', '1e9', 'time()', 'vector(1)', 'vector(0)', 'vector(-2)']),
  ];
  const nodes: readonly ((inner: () => string) => string)[] = [
    () => `${pick(overRanges)}(${selector()}[${range()}]${pick(shifts)})`,
    () => `${pick(overRanges)}(${selector()}[${range()}]${pick(shifts)})`,
    (inner) => `${pick(overRanges)}((${inner()})[${range()}:${pick(['1s', '3s', '5s'])}]${pick(shifts)})`,
    (inner) => `${pick(aggregations)}${pick(groupings)} (${inner()})`,
    (inner) => `quantile${pick(groupings)} (${pick([0.1, 0.5, 0.9, 2])}, ${inner()})`,
    (inner) => `(${inner()} ${pick(operators)}${pick(matchings)} ${inner()})`,
    (inner) =>
      `(${inner()} ${pick(['and', 'or', 'unless'])}${pick(['', ' on (job)', ' ignoring (mode)'])} ${inner()})`,
    (inner) => `${pick(unary)}(${inner()})`,
    (inner) => `histogram_quantile(${pick([0.5, 0.9])}, ${inner()})`,
    (inner) => `clamp(${inner()}, ${pick([0, -1])}, ${pick([1, 100])})`,
    (inner) => `label_replace(${inner()}, "x", "$1", "${pick(['job', 'mode'])}", "(.).*")`,
  ];
  const draw = (left: number): string => (left === 0 ? pick(leaves)() : pick(nodes)(() => draw(left - 1)));
  return draw(depth);
}
