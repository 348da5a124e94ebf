/** The routes of /api/v2. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CodedError, errorText } from '../../base/index.ts';
import { AnchoredRegex, quoteGo } from '../../model/index.ts';
import type { AlertmanagerBackend, AlertsQuery } from '../backend.ts';
import { Params } from '../params.ts';
import { alertsBody, silenceBody } from './body.ts';
import { SchemaError, sendValue } from './respond.ts';

const trueWords: ReadonlySet<string> = new Set([
  '1',
  'checked',
  'enabled',
  'ok',
  'on',
  'selected',
  't',
  'true',
  'y',
  'yes',
]);

/** Whether alerts of that kind are wanted: yes unless told otherwise. */
function isWanted(params: Params, name: string): boolean {
  const text = params.text(name);
  return text === undefined || trueWords.has(text.toLowerCase());
}

function alertsQuery(request: FastifyRequest): AlertsQuery {
  const params = Params.of(request);
  const receiver = params.text('receiver');
  if (receiver !== undefined) checkReceiver(receiver);
  return {
    active: isWanted(params, 'active'),
    silenced: isWanted(params, 'silenced'),
    inhibited: isWanted(params, 'inhibited'),
    unprocessed: isWanted(params, 'unprocessed'),
    muted: isWanted(params, 'muted'),
    filter: params.all('filter'),
    receiverMatchers: params.all('receiver_matchers'),
    ...(receiver === undefined ? {} : { receiver }),
  };
}

function checkReceiver(pattern: string): void {
  try {
    AnchoredRegex.compile(pattern);
  } catch (cause) {
    throw new CodedError('bad_receiver', `failed to parse receiver param: ${errorText(cause)}`, { cause });
  }
}

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

function silenceId(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  if (!uuid.test(id))
    throw new SchemaError(422, 601, `silenceID in path must be of type uuid: ${quoteGo(id)}`);
  return id;
}

/** The real one leaves the body empty where the silence is named in the path. */
async function unlessNotFound(reply: FastifyReply, act: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof CodedError && error.code === 'silence_not_found') return reply.code(404).send();
    throw error;
  }
}

/**
 * Alertmanager's API v2, without the envelope of Prometheus' answers: 400 with the reason as a JSON string for a body
 * or filter that cannot be read, 404 without a body for a silence that there is not.
 */
export function registerApiRoutes(app: FastifyInstance, backend: AlertmanagerBackend): void {
  app.get('/status', async (_request, reply) => sendValue(reply, await backend.status()));
  app.get('/receivers', async (request, reply) =>
    sendValue(reply, await backend.receivers(Params.of(request).all('receiver_matchers'))),
  );
  app.get('/alerts', async (request, reply) => sendValue(reply, await backend.alerts(alertsQuery(request))));
  app.get('/alerts/groups', async (request, reply) =>
    sendValue(reply, await backend.alertGroups(alertsQuery(request))),
  );
  app.post('/alerts', async (request, reply) => {
    await backend.postAlerts(alertsBody(request));
    return reply.send();
  });
  app.get('/silences', async (request, reply) =>
    sendValue(reply, await backend.silences(Params.of(request).all('filter'))),
  );
  app.post('/silences', async (request, reply) =>
    sendValue(reply, await backend.postSilence(silenceBody(request))),
  );
  app.get('/silence/:id', (request, reply) =>
    unlessNotFound(reply, async () => sendValue(reply, await backend.silence(silenceId(request)))),
  );
  app.delete('/silence/:id', (request, reply) =>
    unlessNotFound(reply, async () => {
      await backend.expireSilence(silenceId(request));
      return reply.send();
    }),
  );
}
