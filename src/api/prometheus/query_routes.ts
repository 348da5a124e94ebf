/** /api/v1/query and /api/v1/query_range, and the lookups beside them: GET, and POST with a form. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Clock, errorText } from '../../base/index.ts';
import { isValidLabelName, parseSecondsOrDuration, quoteGo, unescapeName } from '../../model/index.ts';
import type { Answer, PrometheusBackend, QueryOptions, SelectorsRequest } from '../backend.ts';
import { ApiError } from '../errors.ts';
import { badParam, blaming, Params } from '../params.ts';
import { clientSignal, sendAnswer } from '../respond.ts';
import { maxTimeMs, minTimeMs } from './times.ts';

/** Points per series that a range query may have. */
const pointsMax = 11_000;

/** The checks stand in Prometheus' order, which decides whose message a request with several mistakes gets. */
function queryOptions(params: Params, limit: number | undefined, request: FastifyRequest): QueryOptions {
  const timeoutMs = params.durationMs('timeout');
  if (timeoutMs !== undefined && timeoutMs <= 0)
    throw new ApiError('timeout', 'query timed out in query execution');
  const lookbackMs = lookbackOf(params);
  const stats = params.text('stats') ?? '';
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(limit === undefined ? {} : { limit }),
    ...(lookbackMs === undefined ? {} : { lookbackMs }),
    partialResponse: params.text('partial_response')?.toLowerCase() !== 'false',
    ...(stats === '' ? {} : { stats: stats === 'all' ? 'all' : 'query' }),
    explains: params.text('explain')?.toLowerCase() === 'true',
    request: {
      clientIP: request.ip.replace(/^::ffff:/, ''),
      method: request.method,
      path: request.url.replace(/\?.*$/, ''),
    },
  };
}

/** Undefined means the server's own: when absent, and when it is not positive. */
function lookbackOf(params: Params): number | undefined {
  const text = params.text('lookback_delta');
  if (text === undefined) return undefined;
  try {
    const lookbackMs = parseSecondsOrDuration(text);
    return lookbackMs > 0 ? lookbackMs : undefined;
  } catch (error) {
    throw new ApiError('bad_data', `error parsing lookback delta duration: ${errorText(error)}`);
  }
}

function rangeOf(params: Params): { startMs: number; endMs: number; stepMs: number } {
  const startMs = params.requiredTimeMs('start');
  const endMs = params.requiredTimeMs('end');
  if (endMs < startMs) throw badParam('end', 'end timestamp must not be before start time');
  const stepMs = params.requiredDurationMs('step');
  if (stepMs <= 0) {
    throw badParam(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if (Math.trunc((endMs - startMs) / stepMs) > pointsMax) {
    throw new ApiError(
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { startMs, endMs, stepMs };
}

/** A range whose end lies before its start holds nothing, which is no mistake here. */
function selectorsOf(params: Params): SelectorsRequest {
  const limit = params.count('limit');
  const fromMs = params.timeMs('start', minTimeMs);
  const toMs = params.timeMs('end', maxTimeMs);
  return { selectors: params.all('match[]'), fromMs, toMs, ...(limit === undefined ? {} : { limit }) };
}

type Ask = (params: Params, signal: AbortSignal, request: FastifyRequest) => Promise<Answer>;

/**
 * Queries and look-ups of series, label names and values below /api/v1, by GET or POST form. Times in parameters
 * are seconds or RFC 3339; `clock` is the time of an instant query that names none. A parameter that cannot be read
 * is 400 `bad_data`.
 */
export function registerQueryRoutes(app: FastifyInstance, backend: PrometheusBackend, clock: Clock): void {
  const answering =
    (ask: Ask) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
      sendAnswer(reply, await ask(Params.of(request), clientSignal(request, reply), request));
  const route = (url: string, ask: Ask, methods: ('GET' | 'POST')[] = ['GET', 'POST']): void => {
    app.route({ method: methods, url, handler: answering(ask) });
  };

  route('/query', (params, signal, request) => {
    const limit = params.count('limit');
    const timeMs = params.timeMs('time', clock.nowMs());
    const options = queryOptions(params, limit, request);
    return blaming('query', backend.query(params.text('query') ?? '', timeMs, options, signal));
  });
  route('/query_range', (params, signal, request) => {
    const limit = params.count('limit');
    const range = rangeOf(params);
    const options = queryOptions(params, limit, request);
    return blaming('query', backend.queryRange(params.text('query') ?? '', range, options, signal));
  });
  route('/query_exemplars', (params, signal) => {
    const fromMs = params.timeMs('start', minTimeMs);
    const toMs = params.timeMs('end', maxTimeMs);
    if (toMs < fromMs) {
      throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
    }
    return backend.exemplars(params.text('query') ?? '', fromMs, toMs, signal);
  });
  route('/format_query', (params, signal) =>
    blaming('query', backend.formatQuery(params.text('query') ?? '', signal)),
  );
  route('/parse_query', (params, signal) =>
    blaming('query', backend.parseQuery(params.text('query') ?? '', signal)),
  );
  route('/series', (params, signal) => {
    params.checkForm();
    if (params.all('match[]').length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
    return blaming('match[]', backend.series(selectorsOf(params), signal));
  });
  route('/labels', (params, signal) => backend.labelNames(selectorsOf(params), signal));
  route(
    '/label/:name/values',
    (params, signal, request) => {
      const { name } = request.params as { name: string };
      return backend.labelValues(labelName(name), selectorsOf(params), signal);
    },
    ['GET'],
  );
}

/** A label name as it stands in the path, where `U__...` is the escaped form of a UTF-8 name. */
function labelName(text: string): string {
  const name = unescapeName(text, 'values');
  if (!isValidLabelName(name)) throw new ApiError('bad_data', `invalid label name: ${quoteGo(name)}`);
  return name;
}
