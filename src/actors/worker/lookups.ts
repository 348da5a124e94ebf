/**
 * What the API asks beside queries: series, label names and values, exemplars over the cluster, and expressions laid out
 * or as trees. The answers' texts are made here, in slices, so that neither a scrape nor the control thread waits for them.
 */
import type { Clock } from '../../base/index.ts';
import type { Labels } from '../../model/index.ts';
import { exprToJson, parseExpr, parseSelector, prettyExpr, selectorsOf } from '../../promql/index.ts';
import { findExemplars, findSeries, findStrings, type Replicas } from '../../query/index.ts';
import type { AnswerMessage, LookupSpec } from './messages.ts';

const deadlineMs = 30_000;
/** Texts are joined to pieces of about so many characters. */
const pieceChars = 64 * 1024;
const sliceMs = 10;
const truncated = 'results truncated due to limit';
const encoder = new TextEncoder();

export class Lookups {
  readonly #replicasFor: (deadlineMs: number) => Replicas;
  readonly #clock: Clock;

  constructor(replicasFor: (deadlineMs: number) => Replicas, clock: Clock) {
    this.#replicasFor = replicasFor;
    this.#clock = clock;
  }

  /** Rejects with QueryError on a selector or expression that can't be read. No `data`: nothing to tell. */
  async answer(spec: LookupSpec, signal: AbortSignal): Promise<AnswerMessage> {
    const [text = ''] = spec.selectors;
    switch (spec.what) {
      case 'format':
        return answerOf(JSON.stringify(prettyExpr(parseExpr(text))));
      case 'tree':
        return answerOf(JSON.stringify(exprToJson(parseExpr(text))));
      case 'valueCounts':
        return this.#valueCounts(spec, signal);
      case 'exemplars':
        return this.#exemplars(spec, signal);
      default:
        return this.#lookup(spec, signal);
    }
  }

  /** How many values labels have, and their bytes. */
  async #valueCounts({ selectors, fromMs, toMs }: LookupSpec, signal: AbortSignal): Promise<AnswerMessage> {
    const counts: object[] = [];
    const warnings = new Set<string>();
    for (const name of selectors) {
      const request = { anyOf: [], fromMs, toMs };
      const found = await findStrings(this.#replicasFor(deadlineMs), request, name, signal);
      const bytes = found.values.reduce((sum, value) => sum + Buffer.byteLength(value), 0);
      counts.push({ name, count: found.values.length, bytes });
      for (const warning of found.warnings) warnings.add(warning);
    }
    return { ...answerOf(JSON.stringify(counts)), warnings: [...warnings] };
  }

  async #exemplars({ selectors, fromMs, toMs }: LookupSpec, signal: AbortSignal): Promise<AnswerMessage> {
    const anyOf = selectorsOf(parseExpr(selectors[0] ?? '')).map(({ matchers }) => matchers);
    if (anyOf.length === 0) return answerOf('');
    const request = { anyOf, fromMs, toMs };
    const { series, warnings } = await findExemplars(this.#replicasFor(deadlineMs), request, signal);
    return { data: await this.#listOf(series, JSON.stringify, signal), warnings, infos: [] };
  }

  async #lookup(spec: LookupSpec, signal: AbortSignal): Promise<AnswerMessage> {
    const { fromMs, toMs, limit, label } = spec;
    const anyOf = spec.selectors.map((text) => parseSelector(text));
    const request = { anyOf, fromMs, toMs, limit };
    const replicas = this.#replicasFor(deadlineMs);
    if (spec.what === 'series') {
      const found = await findSeries(replicas, request, signal);
      const data = await this.#listOf(found.values, labelsJson, signal);
      return { data, warnings: warningsOf(found), infos: [] };
    }
    const found = await findStrings(
      replicas,
      request,
      spec.what === 'labelValues' ? label : undefined,
      signal,
    );
    const data = await this.#listOf(found.values, JSON.stringify, signal);
    return { data, warnings: warningsOf(found), infos: [] };
  }

  /** A JSON list. Rejects with the signal's reason. */
  async #listOf<T>(
    values: readonly T[],
    print: (value: T) => string,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    let piece = '[';
    let sliceEndMs = this.#clock.monotonicMs() + sliceMs;
    for (const [at, value] of values.entries()) {
      piece += at === 0 ? print(value) : `,${print(value)}`;
      if (piece.length < pieceChars) continue;
      pieces.push(encoder.encode(piece));
      piece = '';
      if (this.#clock.monotonicMs() < sliceEndMs) continue;
      await new Promise<void>((resolve) => this.#clock.after(0, resolve));
      signal.throwIfAborted();
      sliceEndMs = this.#clock.monotonicMs() + sliceMs;
    }
    pieces.push(encoder.encode(`${piece}]`));
    return joined(pieces);
  }
}

function labelsJson(labels: Labels): string {
  let text = '';
  for (const [name, value] of labels) text += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  return `{${text.slice(1)}}`;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function warningsOf(found: { readonly warnings: readonly string[]; readonly isCut: boolean }): string[] {
  return found.isCut ? [...found.warnings, truncated] : [...found.warnings];
}

function answerOf(data: string): AnswerMessage {
  return { data: encoder.encode(data), warnings: [], infos: [] };
}
