/** /api/v1/query and /api/v1/query_range, and the lookups beside them: GET, and POST with a form. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/index.ts';
import type { Answer, PrometheusBackend, QueryOptions, SelectorsRequest } from '../backend.ts';
import { ApiError } from '../errors.ts';
import { badParam, Params } from '../params.ts';
import { clientSignal, sendAnswer } from '../respond.ts';

/** Points per series that a range query may have. */
const pointsMax = 11_000;
/** Where lookups without a start or end look. */
const minTimeMs = -8_640_000_000_000_000;
const maxTimeMs = 8_640_000_000_000_000;

function queryOptions(params: Params): QueryOptions {
  const timeoutMs = params.durationMs('timeout');
  const limit = params.count('limit');
  const lookbackMs = params.durationMs('lookback_delta');
  if (lookbackMs !== undefined && lookbackMs <= 0) throw badParam('lookback_delta', 'must be positive');
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(limit === undefined ? {} : { limit }),
    ...(lookbackMs === undefined ? {} : { lookbackMs }),
    partialResponse: params.isTrue('partial_response', true),
  };
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
  if ((endMs - startMs) / stepMs > pointsMax) {
    throw new ApiError(
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { startMs, endMs, stepMs };
}

function selectorsOf(params: Params, isRequired: boolean): SelectorsRequest {
  const selectors = params.all('match[]');
  if (isRequired && selectors.length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
  const fromMs = params.timeMs('start', minTimeMs);
  const toMs = params.timeMs('end', maxTimeMs);
  if (toMs < fromMs) throw badParam('end', 'end timestamp must not be before start time');
  const limit = params.count('limit');
  return { selectors, fromMs, toMs, ...(limit === undefined ? {} : { limit }) };
}

type Ask = (params: Params, signal: AbortSignal, request: FastifyRequest) => Promise<Answer>;

export function registerQueryRoutes(app: FastifyInstance, backend: PrometheusBackend, clock: Clock): void {
  const answering =
    (ask: Ask) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
      sendAnswer(reply, await ask(Params.of(request), clientSignal(request, reply), request));
  const route = (url: string, ask: Ask, methods: ('GET' | 'POST')[] = ['GET', 'POST']): void => {
    app.route({ method: methods, url, handler: answering(ask) });
  };

  route('/query', (params, signal) => {
    const timeMs = params.timeMs('time', clock.nowMs());
    return backend.query(params.text('query') ?? '', timeMs, queryOptions(params), signal);
  });
  route('/query_range', (params, signal) =>
    backend.queryRange(params.text('query') ?? '', rangeOf(params), queryOptions(params), signal),
  );
  route('/series', (params, signal) => backend.series(selectorsOf(params, true), signal));
  route('/labels', (params, signal) => backend.labelNames(selectorsOf(params, false), signal));
  route(
    '/label/:name/values',
    (params, signal, request) => {
      const { name } = request.params as { name: string };
      return backend.labelValues(labelName(name), selectorsOf(params, false), signal);
    },
    ['GET'],
  );
}

/** A label name as it stands in the path, where `U__...` is the escaped form of a UTF-8 name. */
function labelName(text: string): string {
  if (!text.isWellFormed() || text === '')
    throw new ApiError('bad_data', `invalid label name: ${JSON.stringify(text)}`);
  return text;
}
