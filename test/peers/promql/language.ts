/**
 * Draws queries out of the whole language as Prometheus 3.5 has it, over the metrics of data.ts, with everything nested into
 * everything; same seed, same queries. Left out is what has no defined answer: limitk goes by the order of storage, of which only
 * the count of series is looked at, and so does topk among equals; info, which 3.5 gives labels of other targets. Subqueries name their
 * step: between windows that lie apart Prometheus evaluates points that nobody uses, and may refuse what ours never looks at.
 */
import type { Random } from '../../../src/base/index.ts';

const selectors = [
  ...['ops_total', 'queue', 'uneven', 'native', 'mixed', 'custom', 'build_info', 'latency_bucket', 'nothing'],
  ...['ops_total{mode="read"}', 'queue{job=~"a.*"}', 'native{instance!~"b.*"}', '{__name__=~"queue|uneven"}'],
  ...['latency_bucket{job="db"}', 'mixed{instance="a:1"}', '{job="api", mode=""}', 'queue{zone!="x"}'],
];
const shifts = ['', '', '', '', ' offset 1m', ' offset -45s', ' @ end()', ' @ start()', ' @ START'];
const ranges = ['40s', '1m', '2m30s', '5m', '10m'];
const steps = ['15s', '20s', '1m', '90s'];
const overRanges = [
  ...['rate', 'increase', 'irate', 'delta', 'idelta', 'deriv', 'resets', 'changes', 'rate', 'increase'],
  ...['avg', 'min', 'max', 'sum', 'count', 'last', 'stddev', 'stdvar', 'present', 'absent', 'mad'].map(
    (name) => `${name}_over_time`,
  ),
];
const groupings = [
  '',
  '',
  ' by (job)',
  ' by (instance, mode)',
  ' without (instance)',
  ' by ()',
  ' without ()',
  ' by (le)',
];
const aggregations = ['sum', 'avg', 'min', 'max', 'count', 'stddev', 'stdvar', 'group'];
const operators = [...'+-*/%^', '==', '!=', '>', '<', '>=', '<=', '> bool', '== bool', '<= bool', 'atan2'];
const matchings = [
  ...['', '', ' on (job, instance)', ' ignoring (mode, zone, le)', ' on (job, instance) group_left'],
  ...[' on (job, instance) group_left (mode)', ' on (job) group_right', ' ignoring (mode) group_left'],
  ...[' on (job, instance) group_right (version)', ' on ()', ' ignoring (version, mode, zone) group_right'],
];
const unary = [
  ...[
    'abs',
    'ceil',
    'floor',
    'sqrt',
    'exp',
    'ln',
    'log2',
    'log10',
    'sgn',
    '-',
    '+',
    'timestamp',
    'absent',
    'round',
  ],
  ...[
    'scalar',
    'sin',
    'cosh',
    'atan',
    'asinh',
    'deg',
    'rad',
    'minute',
    'hour',
    'day_of_week',
    'day_of_year',
    'month',
  ],
  ...['days_in_month', 'sort', 'sort_desc', 'histogram_count', 'histogram_sum', 'histogram_avg'],
  ...['histogram_stddev', 'histogram_stdvar', 'histogram_count', 'histogram_sum'],
];
const braced = ['$', '{1}y'].join('');
const numbers = [
  '0',
  '1',
  '2.5',
  '-3',
  '1e9',
  'NaN',
  'Inf',
  '0x10',
  '1m',
  'time()',
  'pi()',
  'vector(1)',
  'vector(-2)',
];

/** How many series are left: which, has no defined answer. */
function limited(inner: string, grouping: string, count: string): string {
  return `count${grouping} (limitk${grouping} (${count}, ${inner}))`;
}

/** A query whose parts are nested up to `depth` deep. Not all are valid: refusals are compared too. */
export function randomLanguageQuery(random: Random, depth: number, startSeconds: number): string {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const shift = (): string => pick(shifts).replace('START', String(startSeconds + random.below(300)));
  const windows = (): string => `${pick(selectors)}[${pick(ranges)}]${shift()}`;
  const quantile = (): string => pick(['0', '0.1', '0.5', '0.9', '1', '2', '-1', 'NaN']);
  const leaves: readonly (() => string)[] = [
    () => pick(selectors) + shift(),
    () => pick(selectors) + shift(),
    () => pick(selectors) + shift(),
    () => pick(numbers),
  ];
  const nodes: readonly ((inner: () => string) => string)[] = [
    () => `${pick(overRanges)}(${windows()})`,
    () => `${pick(overRanges)}(${windows()})`,
    () => `quantile_over_time(${quantile()}, ${windows()})`,
    () => `predict_linear(${windows()}, ${pick(['60', '-30', '3600'])})`,
    () => `double_exponential_smoothing(${windows()}, 0.${1 + random.below(9)}, 0.${1 + random.below(9)})`,
    (inner) => `${pick(overRanges)}((${inner()})[${pick(ranges)}:${pick(steps)}]${shift()})`,
    (inner) => `${pick(aggregations)}${pick(groupings)} (${inner()})`,
    (inner) => `${pick(aggregations)}${pick(groupings)} (${inner()})`,
    (inner) => `quantile${pick(groupings)} (${quantile()}, ${inner()})`,
    () => `count_values${pick(groupings)} ("value", round(${pick(selectors)}${shift()}))`,
    () =>
      `${pick(['topk', 'bottomk'])}${pick(groupings)} (${pick([1, 2, 5])}, ${pick(['queue', 'queue{mode="read"}'])}${shift()})`,
    (inner) => `(${inner()} ${pick(operators)}${pick(matchings)} ${inner()})`,
    (inner) => `(${inner()} ${pick(operators)}${pick(matchings)} ${inner()})`,
    (inner) =>
      `(${inner()} ${pick(['and', 'or', 'unless'])}${pick(['', ' on (job)', ' ignoring (mode, le)'])} ${inner()})`,
    (inner) => `${pick(unary)}(${inner()})`,
    (inner) => `${pick(unary)}(${inner()})`,
    (inner) => `histogram_quantile(${quantile()}, ${inner()})`,
    (inner) => `histogram_fraction(${pick(['0', '-1', '0.2'])}, ${pick(['0.5', '2', 'Inf'])}, ${inner()})`,
    (inner) => `clamp(${inner()}, ${pick([0, -1])}, ${pick([1, 100])})`,
    (inner) => `${pick(['clamp_min', 'clamp_max', 'round'])}(${inner()}, ${pick(['2', '0.5', '-1'])})`,
    (inner) => `label_replace(${inner()}, "x", "$1", "${pick(['job', 'mode', 'nothing'])}", "(.).*")`,
    (inner) => `label_join(${inner()}, "${pick(['x', 'mode'])}", "-", "job", "instance")`,
    (inner) => `sort_by_label(${inner()}, "instance")`,
    (inner) => limited(inner(), pick(groupings), pick(['0', '1', '3'])),
    (inner) =>
      `limit_ratio${pick(groupings)} (${pick(['0.3', '-0.4', '0', '1.5', '-2', 'NaN'])}, ${inner()})`,
    (inner) => `topk(${pick(['NaN', '-1', '1e20', '"x"'])}, ${inner()})`,
    (inner) => `quantile${pick(groupings)} (scalar(${inner()}), ${inner()})`,
    (inner) =>
      `label_replace(${inner()}, "${pick(['x', '', 'job'])}", "${pick(['$2', '', braced])}", "job", "${pick(['(', '(a)(.*)', '.*'])}")`,
    (inner) => `label_join(${inner()}, "${pick(['', 'job', '__name__'])}", "", "${pick(['', 'mode'])}")`,
    (inner) => `count_values${pick(groupings)} ("${pick(['', 'job', 'le'])}", ${inner()})`,
    (inner) =>
      `double_exponential_smoothing((${inner()})[5m:15s], ${pick(['0', '0.5', '1.5'])}, ${pick(['0.5', '1', '-1'])})`,
    (inner) => `quantile_over_time(${quantile()}, (${inner()})[2m:${pick(steps)}])`,
    () => `(${pick(numbers)} ${pick(operators)} ${pick(numbers)})`,
  ];
  const draw = (left: number): string =>
    left === 0 ? pick(leaves)() : pick(nodes)(() => draw(left - random.below(2) - 1 < 0 ? 0 : left - 1));
  return draw(depth);
}
