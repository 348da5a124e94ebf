/**
 * Request parameters as Prometheus reads them: query string and form body together, times as seconds or RFC 3339,
 * durations as seconds or `5m`. Every refusal names the parameter.
 */
import type { FastifyRequest } from 'fastify';
import { errorText } from '../base/index.ts';
import { parseDuration } from '../model/index.ts';
import { ApiError } from './errors.ts';

/** Parameters of one request; a name may occur several times. */
export class Params {
  readonly #values: URLSearchParams;

  constructor(values: URLSearchParams) {
    this.#values = values;
  }

  /** Query string first, then the form body of a POST. */
  static of(request: FastifyRequest): Params {
    const at = request.url.indexOf('?');
    const values = new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
    if (request.body instanceof URLSearchParams)
      for (const [name, value] of request.body) values.append(name, value);
    return new Params(values);
  }

  text(name: string): string | undefined {
    return this.#values.get(name) ?? undefined;
  }

  all(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** Milliseconds; `fallbackMs` when absent. */
  timeMs(name: string, fallbackMs: number): number {
    const text = this.text(name);
    return text === undefined || text === '' ? fallbackMs : parseTimeMs(name, text);
  }

  requiredTimeMs(name: string): number {
    return parseTimeMs(name, this.text(name) ?? '');
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined || text === '' ? undefined : parseDurationMs(name, text);
  }

  requiredDurationMs(name: string): number {
    return parseDurationMs(name, this.text(name) ?? '');
  }

  /** A non-negative integer; undefined when absent. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined || text === '') return undefined;
    if (!/^[+-]?\d+$/.test(text))
      throw badParam(name, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    const value = Number(text);
    if (value < 0) throw badParam(name, 'limit must be non-negative');
    return value;
  }

  isTrue(name: string, fallback: boolean): boolean {
    const text = this.text(name);
    return text === undefined ? fallback : text === 'true' || text === '1';
  }
}

export function badParam(name: string, reason: string): ApiError {
  return new ApiError('bad_data', `invalid parameter "${name}": ${reason}`);
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
/** The widest times that the API takes, as Prometheus' minTime and maxTime, in what a float can hold exactly. */
const timeMsMax = Number.MAX_SAFE_INTEGER;

function parseTimeMs(name: string, text: string): number {
  if (decimal.test(text)) {
    const ms = Math.round(Number(text) * 1000);
    if (Math.abs(ms) <= timeMsMax) return ms;
  } else if (rfc3339.test(text)) {
    const ms = Date.parse(text);
    if (!Number.isNaN(ms)) return ms;
  }
  throw badParam(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
}

function parseDurationMs(name: string, text: string): number {
  if (decimal.test(text)) {
    const ms = Math.round(Number(text) * 1000);
    if (Math.abs(ms) <= timeMsMax) return ms;
    throw badParam(name, `cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`);
  }
  try {
    return parseDuration(text);
  } catch (error) {
    throw badParam(name, `cannot parse ${JSON.stringify(text)} to a valid duration (${errorText(error)})`);
  }
}
