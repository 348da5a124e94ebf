/**
 * The signatures of all functions of the language: what the parser checks calls against. The kernels that
 * compute them are in `table.ts`, keyed by the same names, so that the compiler finds a missing one.
 */
import type { ValueType } from '../parse/tree.ts';

export type FunctionName =
  | 'abs'
  | 'absent'
  | 'absent_over_time'
  | 'acos'
  | 'acosh'
  | 'asin'
  | 'asinh'
  | 'atan'
  | 'atanh'
  | 'avg_over_time'
  | 'ceil'
  | 'changes'
  | 'clamp'
  | 'clamp_max'
  | 'clamp_min'
  | 'cos'
  | 'cosh'
  | 'count_over_time'
  | 'day_of_month'
  | 'day_of_week'
  | 'day_of_year'
  | 'days_in_month'
  | 'deg'
  | 'delta'
  | 'deriv'
  | 'double_exponential_smoothing'
  | 'end'
  | 'exp'
  | 'first_over_time'
  | 'floor'
  | 'histogram_avg'
  | 'histogram_count'
  | 'histogram_fraction'
  | 'histogram_quantile'
  | 'histogram_quantiles'
  | 'histogram_stddev'
  | 'histogram_stdvar'
  | 'histogram_sum'
  | 'hour'
  | 'idelta'
  | 'increase'
  | 'info'
  | 'irate'
  | 'label_join'
  | 'label_replace'
  | 'last_over_time'
  | 'ln'
  | 'log10'
  | 'log2'
  | 'mad_over_time'
  | 'max_of'
  | 'max_over_time'
  | 'min_of'
  | 'min_over_time'
  | 'minute'
  | 'month'
  | 'pi'
  | 'predict_linear'
  | 'present_over_time'
  | 'quantile_over_time'
  | 'rad'
  | 'range'
  | 'rate'
  | 'resets'
  | 'round'
  | 'scalar'
  | 'sgn'
  | 'sin'
  | 'sinh'
  | 'sort'
  | 'sort_by_label'
  | 'sort_by_label_desc'
  | 'sort_desc'
  | 'sqrt'
  | 'start'
  | 'start_timestamp'
  | 'stddev_over_time'
  | 'stdvar_over_time'
  | 'step'
  | 'sum_over_time'
  | 'tan'
  | 'tanh'
  | 'time'
  | 'timestamp'
  | 'ts_of_first_over_time'
  | 'ts_of_last_over_time'
  | 'ts_of_max_over_time'
  | 'ts_of_min_over_time'
  | 'vector'
  | 'year';

export interface FunctionSignature {
  readonly args: readonly ValueType[];
  readonly returns: ValueType;
  /**
   * 0: exactly `args`. n > 0: the last of `args` may be missing or occur up to n times (infinity: any number).
   */
  readonly optional: number;
  /** Only behind a feature flag in Prometheus. */
  readonly experimental: boolean;
  /** The argument that must be a selector of labels alone, without a metric name. */
  readonly selectorAt?: number;
}

function signature(
  args: readonly ValueType[],
  returns: ValueType,
  options: { optional?: number; experimental?: boolean; selectorAt?: number } = {},
): FunctionSignature {
  return { optional: 0, experimental: false, ...options, args, returns };
}

export const functionSignatures: Readonly<Record<FunctionName, FunctionSignature>> = {
  abs: signature(['vector'], 'vector'),
  absent: signature(['vector'], 'vector'),
  absent_over_time: signature(['matrix'], 'vector'),
  acos: signature(['vector'], 'vector'),
  acosh: signature(['vector'], 'vector'),
  asin: signature(['vector'], 'vector'),
  asinh: signature(['vector'], 'vector'),
  atan: signature(['vector'], 'vector'),
  atanh: signature(['vector'], 'vector'),
  avg_over_time: signature(['matrix'], 'vector'),
  ceil: signature(['vector'], 'vector'),
  changes: signature(['matrix'], 'vector'),
  clamp: signature(['vector', 'scalar', 'scalar'], 'vector'),
  clamp_max: signature(['vector', 'scalar'], 'vector'),
  clamp_min: signature(['vector', 'scalar'], 'vector'),
  cos: signature(['vector'], 'vector'),
  cosh: signature(['vector'], 'vector'),
  count_over_time: signature(['matrix'], 'vector'),
  day_of_month: signature(['vector'], 'vector', { optional: 1 }),
  day_of_week: signature(['vector'], 'vector', { optional: 1 }),
  day_of_year: signature(['vector'], 'vector', { optional: 1 }),
  days_in_month: signature(['vector'], 'vector', { optional: 1 }),
  deg: signature(['vector'], 'vector'),
  delta: signature(['matrix'], 'vector'),
  deriv: signature(['matrix'], 'vector'),
  double_exponential_smoothing: signature(['matrix', 'scalar', 'scalar'], 'vector', { experimental: true }),
  end: signature([], 'scalar', { experimental: true }),
  exp: signature(['vector'], 'vector'),
  first_over_time: signature(['matrix'], 'vector'),
  floor: signature(['vector'], 'vector'),
  histogram_avg: signature(['vector'], 'vector'),
  histogram_count: signature(['vector'], 'vector'),
  histogram_fraction: signature(['scalar', 'scalar', 'vector'], 'vector'),
  histogram_quantile: signature(['scalar', 'vector'], 'vector'),
  histogram_quantiles: signature(['vector', 'string', 'scalar', 'scalar'], 'vector', {
    optional: 9,
    experimental: true,
  }),
  histogram_stddev: signature(['vector'], 'vector'),
  histogram_stdvar: signature(['vector'], 'vector'),
  histogram_sum: signature(['vector'], 'vector'),
  hour: signature(['vector'], 'vector', { optional: 1 }),
  idelta: signature(['matrix'], 'vector'),
  increase: signature(['matrix'], 'vector'),
  info: signature(['vector', 'vector'], 'vector', { optional: 1, experimental: true, selectorAt: 1 }),
  irate: signature(['matrix'], 'vector'),
  label_join: signature(['vector', 'string', 'string', 'string'], 'vector', {
    optional: Number.POSITIVE_INFINITY,
  }),
  label_replace: signature(['vector', 'string', 'string', 'string', 'string'], 'vector'),
  last_over_time: signature(['matrix'], 'vector'),
  ln: signature(['vector'], 'vector'),
  log10: signature(['vector'], 'vector'),
  log2: signature(['vector'], 'vector'),
  mad_over_time: signature(['matrix'], 'vector', { experimental: true }),
  max_of: signature(['scalar', 'scalar'], 'scalar', { experimental: true }),
  max_over_time: signature(['matrix'], 'vector'),
  min_of: signature(['scalar', 'scalar'], 'scalar', { experimental: true }),
  min_over_time: signature(['matrix'], 'vector'),
  minute: signature(['vector'], 'vector', { optional: 1 }),
  month: signature(['vector'], 'vector', { optional: 1 }),
  pi: signature([], 'scalar'),
  predict_linear: signature(['matrix', 'scalar'], 'vector'),
  present_over_time: signature(['matrix'], 'vector'),
  quantile_over_time: signature(['scalar', 'matrix'], 'vector'),
  rad: signature(['vector'], 'vector'),
  range: signature([], 'scalar', { experimental: true }),
  rate: signature(['matrix'], 'vector'),
  resets: signature(['matrix'], 'vector'),
  round: signature(['vector', 'scalar'], 'vector', { optional: 1 }),
  scalar: signature(['vector'], 'scalar'),
  sgn: signature(['vector'], 'vector'),
  sin: signature(['vector'], 'vector'),
  sinh: signature(['vector'], 'vector'),
  sort: signature(['vector'], 'vector'),
  sort_by_label: signature(['vector', 'string'], 'vector', {
    optional: Number.POSITIVE_INFINITY,
    experimental: true,
  }),
  sort_by_label_desc: signature(['vector', 'string'], 'vector', {
    optional: Number.POSITIVE_INFINITY,
    experimental: true,
  }),
  sort_desc: signature(['vector'], 'vector'),
  sqrt: signature(['vector'], 'vector'),
  start: signature([], 'scalar', { experimental: true }),
  start_timestamp: signature(['vector'], 'vector', { experimental: true }),
  stddev_over_time: signature(['matrix'], 'vector'),
  stdvar_over_time: signature(['matrix'], 'vector'),
  step: signature([], 'scalar', { experimental: true }),
  sum_over_time: signature(['matrix'], 'vector'),
  tan: signature(['vector'], 'vector'),
  tanh: signature(['vector'], 'vector'),
  time: signature([], 'scalar'),
  timestamp: signature(['vector'], 'vector'),
  ts_of_first_over_time: signature(['matrix'], 'vector', { experimental: true }),
  ts_of_last_over_time: signature(['matrix'], 'vector', { experimental: true }),
  ts_of_max_over_time: signature(['matrix'], 'vector', { experimental: true }),
  ts_of_min_over_time: signature(['matrix'], 'vector', { experimental: true }),
  vector: signature(['scalar'], 'vector'),
  year: signature(['vector'], 'vector', { optional: 1 }),
};

/** Whether `name` is a function of the language. */
export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(functionSignatures, name);
}
