/** An Alertmanager that keeps what it is given and answers it in the API's form, enough for clients to work with. */
import fastify, { type FastifyInstance } from 'fastify';
import { CodedError } from '../../base/index.ts';
import { type AlertmanagerApiOptions, alertmanagerApi } from '../alertmanager/plugin.ts';
import type { AlertmanagerBackend, AlertsQuery } from '../backend.ts';
import { httpServerOptions } from '../server_options.ts';

interface FakeAlertmanager {
  readonly backend: AlertmanagerBackend;
  readonly queries: AlertsQuery[];
  readonly posted: unknown[];
}

export const silenceId = '2e4d4319-aac4-46d9-88a4-89db3438d0eb';
const time = '2030-01-01T00:00:00.000Z';

function checkFilter(filter: readonly string[]): void {
  for (const text of filter) {
    if (!/[=~]/.test(text)) throw new CodedError('bad_matcher', `bad matcher format: ${text}`);
  }
}

function alertView(posted: unknown): unknown {
  return {
    annotations: {},
    endsAt: time,
    fingerprint: '2c6a8489f4b6463b',
    receivers: [{ name: 'r' }],
    startsAt: time,
    status: { inhibitedBy: [], mutedBy: [], silencedBy: [], state: 'active' },
    updatedAt: time,
    ...(posted as object),
  };
}

function fakeAlertmanager(overrides: Partial<AlertmanagerBackend> = {}): FakeAlertmanager {
  const queries: AlertsQuery[] = [];
  const posted: unknown[] = [];
  const silences = new Map<string, object>();
  const known = (id: string): object => {
    const silence = silences.get(id);
    if (silence === undefined) throw new CodedError('silence_not_found', 'silence not found');
    return silence;
  };
  const backend: AlertmanagerBackend = {
    status: async () => ({
      cluster: { peers: [], status: 'disabled' },
      config: { original: '<route>' },
      uptime: time,
      versionInfo: { branch: '', buildDate: '', buildUser: '', goVersion: '', revision: '', version: '1' },
    }),
    receivers: async () => [{ name: 'r' }],
    alerts: async (query) => {
      queries.push(query);
      checkFilter(query.filter);
      return posted.map(alertView);
    },
    alertGroups: async (query) => {
      queries.push(query);
      checkFilter(query.filter);
      if (posted.length === 0) return [];
      return [{ alerts: posted.map(alertView), labels: {}, receiver: { name: 'r' } }];
    },
    postAlerts: async (alerts) => {
      posted.push(...alerts);
    },
    silences: async (filter) => {
      checkFilter(filter);
      return [...silences.values()];
    },
    silence: async (id) => known(id),
    postSilence: async (silence) => {
      const { id } = silence as { id?: string };
      if (id !== undefined && id !== '') known(id);
      const view = { ...(silence as object), id: silenceId, status: { state: 'active' }, updatedAt: time };
      silences.set(silenceId, view);
      return { silenceID: silenceId };
    },
    expireSilence: async (id) => {
      known(id);
      silences.delete(id);
    },
    reload: async () => {},
    ...overrides,
  };
  return { backend, queries, posted };
}

export interface AlertmanagerServer extends FakeAlertmanager {
  readonly app: FastifyInstance;
}

/** A server with the fake behind it; not listening yet. */
export async function alertmanagerServer(
  overrides: Partial<AlertmanagerBackend> = {},
  options: Partial<AlertmanagerApiOptions> & { prefix?: string } = {},
): Promise<AlertmanagerServer> {
  const fake = fakeAlertmanager(overrides);
  const app = fastify(httpServerOptions());
  await app.register(alertmanagerApi, { backend: fake.backend, ...options });
  await app.ready();
  return { ...fake, app };
}
