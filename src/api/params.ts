/**
 * Request parameters as Prometheus reads them: form body before query string, the first value of a name counts, an empty
 * one means absent. Every refusal names the parameter, in Prometheus' words.
 */
import type { FastifyRequest } from 'fastify';
import { errorText } from '../base/index.ts';
import { parseSecondsOrDuration, parseTimestamp, quoteGo } from '../model/index.ts';
import type { Answer } from './backend.ts';
import { ApiError, errorTypeOf } from './errors.ts';
import { type Form, parseForm } from './form.ts';

const int64Max = 2n ** 63n - 1n;
const trueWords: ReadonlySet<string> = new Set(['1', 't', 'true']);
const falseWords: ReadonlySet<string> = new Set(['0', 'f', 'false']);

/** Parameters of one request; a name may occur several times. */
export class Params {
  readonly #forms: readonly Form[];

  constructor(forms: readonly Form[]) {
    this.#forms = forms;
  }

  /** The plugin's body parser makes a Form of a form body; other bodies hold no parameters. */
  static of(request: FastifyRequest): Params {
    const at = request.url.indexOf('?');
    const query = parseForm(at < 0 ? '' : request.url.slice(at + 1));
    return new Params(isForm(request.body) ? [request.body, query] : [query]);
  }

  /** For routes that take no parameters from a request with a malformed one. Throws ApiError. */
  checkForm(): void {
    const fault = this.#forms.find((form) => form.fault !== undefined)?.fault;
    if (fault !== undefined) throw new ApiError('bad_data', `error parsing form values: ${fault}`);
  }

  /** Undefined when absent or empty. */
  text(name: string): string | undefined {
    for (const { values } of this.#forms) {
      const value = values.get(name);
      if (value !== null) return value === '' ? undefined : value;
    }
    return undefined;
  }

  all(name: string): string[] {
    return this.#forms.flatMap(({ values }) => values.getAll(name));
  }

  /** Milliseconds; `fallbackMs` when absent. */
  timeMs(name: string, fallbackMs: number): number {
    const text = this.text(name);
    if (text === undefined) return fallbackMs;
    return parsed(name, text, parseTimestamp, `invalid time value for '${name}': `);
  }

  requiredTimeMs(name: string): number {
    return parsed(name, this.text(name) ?? '', parseTimestamp);
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parsed(name, text, parseSecondsOrDuration);
  }

  requiredDurationMs(name: string): number {
    return parsed(name, this.text(name) ?? '', parseSecondsOrDuration);
  }

  /** An integer; undefined when absent. Throws a message like Go's strconv, without the parameter's name. */
  integer(name: string, parser = 'Atoi'): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const problem = (reason: string): ApiError =>
      new ApiError('bad_data', `strconv.${parser}: parsing ${quoteGo(text)}: ${reason}`);
    if (!/^[+-]?[0-9]+$/.test(text)) throw problem('invalid syntax');
    const digits = text.replace(/^[+-]?0*/, '');
    if (digits.length > 19 || BigInt(digits || '0') > int64Max) throw problem('value out of range');
    return Number(text);
  }

  /** A non-negative integer; undefined when absent. */
  count(name: string): number | undefined {
    const value = parsed(name, name, (key) => this.integer(key));
    if (value !== undefined && value < 0) throw badParam(name, 'limit must be non-negative');
    return value;
  }

  /** Go's ParseBool, upper case allowed; false when absent. `what` was not possible when it is neither. */
  flag(name: string, what = `error converting ${name}`): boolean {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined || falseWords.has(text)) return false;
    if (trueWords.has(text)) return true;
    throw badParam(name, `${what}: strconv.ParseBool: parsing ${quoteGo(text)}: invalid syntax`);
  }
}

export function badParam(name: string, reason: string): ApiError {
  return new ApiError('bad_data', `invalid parameter ${quoteGo(name)}: ${reason}`);
}

/** The backend's errors do not know which parameter held the text that it could not read. */
export async function blaming(parameter: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (errorTypeOf(error) === 'bad_data') throw badParam(parameter, errorText(error));
    throw error;
  }
}

function parsed<Value>(name: string, text: string, parse: (text: string) => Value, prefix = ''): Value {
  try {
    return parse(text);
  } catch (error) {
    throw badParam(name, prefix + errorText(error));
  }
}

function isForm(body: unknown): body is Form {
  return (
    typeof body === 'object' && body !== null && 'values' in body && body.values instanceof URLSearchParams
  );
}
