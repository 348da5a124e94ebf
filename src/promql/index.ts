export { decodeLabelSets, encodeLabelSets } from './codec/label_table.ts';
export { decodePartial, encodePartial } from './codec/partial.ts';
export { decodeSeries, encodeSeries } from './codec/series.ts';
export { type DistributedPlan, distribute, type NotPushed } from './distribute/distribute.ts';
export {
  evaluatePartial,
  finishPartial,
  mergePartials,
  type PartialAggregate,
} from './distribute/partial.ts';
export {
  Engine,
  type EngineFeatures,
  type EngineOptions,
  type EvaluationOptions,
  type EvaluationRange,
} from './engine.ts';
export {
  ExecutionError,
  MemoryLimitError,
  ParseError,
  QueryCanceledError,
  QueryError,
  type QueryErrorType,
  QueryTimeoutError,
  TooManySamplesError,
} from './errors.ts';
export type { Sources } from './eval/prefetch.ts';
export { type OperatorRun, QueryProfile } from './eval/profile.ts';
export { explain } from './explain.ts';
export { type FunctionName, type FunctionSignature, functionSignatures } from './functions/signatures.ts';
export { Pace } from './pace.ts';
export { typeOf } from './parse/check.ts';
export { type ParserOptions, parseExpr } from './parse/parser.ts';
export { prettyExpr } from './parse/pretty.ts';
export { printExpr } from './parse/print.ts';
export { parseSelector, type SelectorOptions } from './parse/selector.ts';
export type {
  AggregateExpr,
  AggregateOp,
  AtModifier,
  BinaryExpr,
  BinaryOperator,
  CallExpr,
  DurationNode,
  Expr,
  Fragment,
  MatrixSelector,
  NumberLiteral,
  ParenExpr,
  RemoteExpr,
  Span,
  StringLiteral,
  SubqueryExpr,
  UnaryExpr,
  ValueType,
  VectorMatching,
  VectorSelector,
} from './parse/tree.ts';
export { selectorsOf, walk } from './parse/tree.ts';
export { exprToJson } from './parse/tree_json.ts';
export { resultBlocks, resultToJson } from './result_json.ts';
export type {
  EngineLimits,
  EvaluationTimings,
  MatrixSeries,
  QueryRange,
  QueryResult,
  QueryStats,
  QueryValue,
  RemoteResult,
  RemoteSource,
  SampleStats,
  SelectRequest,
  StepMatrix,
  StepSeries,
  Storage,
  VectorSample,
} from './types.ts';
