/** The payloads of Execute calls (proto/torchring/v1/query.proto) to and from bytes. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type ExecutePayload,
  ExecutePayloadSchema,
  type LabelMatcher,
  type SelectPart,
  StringListSchema,
} from '../../proto/gen/torchring/v1/query_pb.ts';
import { Matcher, type MatchType } from '../model/index.ts';
import type { SelectRequest } from '../promql/index.ts';

export const ExecuteKind = {
  Select: 'select',
  Partial: 'partial',
  Series: 'series',
  LabelNames: 'label_names',
  LabelValues: 'label_values',
  Exemplars: 'exemplars',
} as const;
export type ExecuteKind = (typeof ExecuteKind)[keyof typeof ExecuteKind];

export interface LookupRequest {
  /** Series that match any of these sets; none = every series. */
  readonly anyOf: readonly (readonly Matcher[])[];
  readonly fromMs: number;
  readonly toMs: number;
  /** The first so many in order are enough; absent or 0: all. */
  readonly limit?: number;
}

const uint32Max = 2 ** 32 - 1;

type MatcherInit = Pick<LabelMatcher, 'type' | 'name' | 'value'>;

const matcherInits = (matchers: readonly Matcher[]): MatcherInit[] =>
  matchers.map(({ type, name, value }) => ({ type, name, value }));

/** Throws CodedError on a matcher that does not compile. */
export function matchersOf(matchers: readonly MatcherInit[]): Matcher[] {
  return matchers.map(({ type, name, value }) => Matcher.create(type as MatchType, name, value));
}

interface Envelope {
  readonly tableVersion: number;
  readonly deadlineMs: number;
}

/** What an executor needs to know of a selection. */
type SelectPartRequest = Pick<SelectRequest, 'matchers' | 'fromMs' | 'toMs' | 'newestAt'>;

export function encodeSelect(envelope: Envelope, part: SelectPartRequest): Uint8Array {
  const { matchers, fromMs, toMs, newestAt } = part;
  return encode(envelope, {
    case: 'select',
    value: {
      matchers: matcherInits(matchers),
      fromMs: BigInt(fromMs),
      toMs: BigInt(toMs),
      newestFirstMs: BigInt(newestAt?.firstMs ?? 0),
      newestStepMs: BigInt(newestAt?.stepMs ?? 0),
      newestSteps: newestAt?.steps ?? 0,
    },
  });
}

export function selectRequestOf(part: SelectPart): SelectRequest {
  const { matchers, fromMs, toMs, newestFirstMs, newestStepMs, newestSteps } = part;
  const newestAt = { firstMs: Number(newestFirstMs), stepMs: Number(newestStepMs), steps: newestSteps };
  return {
    matchers: matchersOf(matchers),
    fromMs: Number(fromMs),
    toMs: Number(toMs),
    stepMs: newestAt.stepMs,
    ...(newestSteps === 0 ? {} : { newestAt }),
  };
}

export interface PartialRequest {
  readonly expr: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly lookbackMs: number;
  readonly samplesMax: number;
  /** The step of subqueries that name none. */
  readonly subqueryStepMs: number;
  readonly countsSteps: boolean;
  readonly memoryMax?: number;
}

export function encodePartialRequest(envelope: Envelope, part: PartialRequest): Uint8Array {
  return encode(envelope, {
    case: 'partial',
    value: {
      expr: part.expr,
      startMs: BigInt(part.startMs),
      endMs: BigInt(part.endMs),
      stepMs: BigInt(part.stepMs),
      lookbackMs: BigInt(part.lookbackMs),
      samplesMax: BigInt(part.samplesMax),
      subqueryStepMs: BigInt(part.subqueryStepMs),
      countsSteps: part.countsSteps,
      memoryMax: BigInt(part.memoryMax ?? 0),
    },
  });
}

export function encodeLookup(
  envelope: Envelope,
  kind: 'series' | 'labelNames' | 'labelValues' | 'exemplars',
  request: LookupRequest,
  label = '',
): Uint8Array {
  const value = {
    anyOf: request.anyOf.map((matchers) => ({ matchers: matcherInits(matchers) })),
    fromMs: BigInt(request.fromMs),
    toMs: BigInt(request.toMs),
    label,
    limit: Math.min(request.limit ?? 0, uint32Max),
  };
  return encode(envelope, { case: kind, value });
}

type PayloadInit = Parameters<typeof create<typeof ExecutePayloadSchema>>[1];
type PartInit = NonNullable<PayloadInit> extends { part?: infer P } ? NonNullable<P> : never;

function encode({ tableVersion, deadlineMs }: Envelope, part: PartInit): Uint8Array {
  const message = create(ExecutePayloadSchema, { tableVersion: BigInt(tableVersion), deadlineMs, part });
  return toBinary(ExecutePayloadSchema, message);
}

/** Throws on bytes that are no ExecutePayload. */
export function decodePayload(bytes: Uint8Array): ExecutePayload {
  return fromBinary(ExecutePayloadSchema, bytes);
}

export function encodeStrings(values: readonly string[]): Uint8Array {
  return toBinary(StringListSchema, create(StringListSchema, { values: [...values] }));
}

export function decodeStrings(bytes: Uint8Array): string[] {
  return fromBinary(StringListSchema, bytes).values;
}
