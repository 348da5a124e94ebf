/** A backend that records what it is asked, answers with fixed data, and fails on request. */
import fastify, { type FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { CodedError, systemClock } from '../../base/index.ts';
import type { Answer, PrometheusBackend } from '../backend.ts';
import { type PrometheusApiOptions, prometheusApi } from '../prometheus/plugin.ts';
import { httpServerOptions } from '../server_options.ts';

/** Stands for the query engine's error, which this room knows by its shape only. */
export class FakeQueryError extends CodedError {
  readonly errorType: string;
  constructor(errorType: string, message: string) {
    super(errorType, message);
    this.errorType = errorType;
  }
}

export function answerOf(data: string, notes: Partial<Omit<Answer, 'data'>> = {}): Answer {
  return { data: Buffer.from(data), warnings: [], infos: [], ...notes };
}

interface Call {
  readonly method: string;
  /** Without the signal. */
  readonly args: readonly unknown[];
}

/** What the fake's methods answer; a function may throw or wait. */
interface Script {
  answer: (method: string, signal: AbortSignal) => Promise<Answer>;
}

interface Fake {
  readonly backend: PrometheusBackend;
  readonly calls: Call[];
  readonly script: Script;
}

/** The first argument of a selector method or query that the fake cannot parse. */
function checkText(text: string): void {
  if (text === '') {
    throw new FakeQueryError('bad_data', 'unknown position: parse error: no expression found in input');
  }
  if (text.includes(')')) {
    throw new FakeQueryError('bad_data', "1:2: parse error: unexpected right parenthesis ')'");
  }
}

const emptyData: Readonly<Record<string, string>> = {
  query: '{"resultType":"scalar","result":[1,"1"]}',
  queryRange: '{"resultType":"matrix","result":[]}',
  targets: '{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}',
  metadata: '{}',
  rules: '{"groups":[]}',
  alerts: '{"alerts":[]}',
  formatQuery: '"1"',
  parseQuery: '{"type":"numberLiteral","val":"1"}',
};

function asked(
  calls: Call[],
  script: Script,
): (method: string, args: unknown[], signal: AbortSignal) => Promise<Answer> {
  return async (method, args, signal) => {
    calls.push({ method, args });
    const texts = ['query', 'exemplars', 'formatQuery', 'parseQuery'].some((name) => method.startsWith(name))
      ? [args[0]]
      : selectorsIn(args);
    for (const text of texts) checkText(String(text));
    return script.answer(method, signal);
  };
}

function selectorsIn(args: readonly unknown[]): readonly unknown[] {
  return args.flatMap((arg) => {
    if (typeof arg !== 'object' || arg === null) return [];
    const { selectors, match } = arg as { selectors?: string[]; match?: string[] };
    return selectors ?? match ?? [];
  });
}

function fakeBackend(overrides: Partial<PrometheusBackend> = {}): Fake {
  const calls: Call[] = [];
  const script: Script = { answer: async (method) => answerOf(emptyData[method] ?? '[]') };
  const ask = asked(calls, script);
  const backend: PrometheusBackend = {
    query: (expr, timeMs, options, signal) => ask('query', [expr, timeMs, options], signal),
    queryRange: (expr, range, options, signal) => ask('queryRange', [expr, range, options], signal),
    series: (request, signal) => ask('series', [request], signal),
    labelNames: (request, signal) => ask('labelNames', [request], signal),
    labelValues: (name, request, signal) => ask('labelValues', [name, request], signal),
    exemplars: (expr, fromMs, toMs, signal) => ask('exemplars', [expr, fromMs, toMs], signal),
    formatQuery: (expr, signal) => ask('formatQuery', [expr], signal),
    parseQuery: (expr, signal) => ask('parseQuery', [expr], signal),
    targetMetadata: (filter, signal) => ask('targetMetadata', [filter], signal),
    tsdbStatus: (limit, signal) => ask('tsdbStatus', [limit], signal),
    walReplay: () => ({ min: 0, max: 0, current: 0 }),
    features: () => ({}),
    notifications: { list: () => [], subscribe: () => () => undefined },
    admin: {
      deleteSeries: async (selectors, fromMs, toMs) => {
        calls.push({ method: 'deleteSeries', args: [selectors, fromMs, toMs] });
        for (const selector of selectors) checkText(selector);
      },
      cleanTombstones: async () => {},
      snapshot: async () => 'snap',
    },
    targets: (filter, signal) => ask('targets', [filter], signal),
    scrapePools: () => [],
    metadata: (filter, signal) => ask('metadata', [filter], signal),
    rules: (filter, signal) => ask('rules', [filter], signal),
    alerts: (signal) => ask('alerts', [], signal),
    configText: () => 'global: {}\n',
    flags: () => ({ 'web.listen-address': '<:9090>', 'config.file': 'p.yml' }),
    runtimeInfo: async () => ({ storageRetention: '15d' }),
    buildInfo: () => ({ version: '3.5.3' }),
    alertmanagers: () => ({ activeAlertmanagers: [], droppedAlertmanagers: [] }),
    remote: {
      write: async (body, protocol) => {
        calls.push({ method: 'write', args: [body, protocol] });
        return { status: 204, samplesWritten: 7, histogramsWritten: 2, exemplarsWritten: 1 };
      },
      otlp: async (body) => {
        calls.push({ method: 'otlp', args: [body] });
        return { status: 204, samplesWritten: 1, histogramsWritten: 0, exemplarsWritten: 0 };
      },
      read: async (body) => {
        calls.push({ method: 'read', args: [body] });
        return { type: 'samples', body: Buffer.from('read') };
      },
      federate: async (selectors, accept) => {
        calls.push({ method: 'federate', args: [selectors, accept] });
        return { status: 200, body: Buffer.from('up 1\n'), contentType: 'text/plain' };
      },
    },
    cluster: () => ({
      name: 'c',
      self: 'a',
      leader: null,
      members: [],
      table: { version: 1, shards: [] },
    }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    healthy: () => true,
    ready: () => true,
    reload: async () => {},
    quit: () => {
      calls.push({ method: 'quit', args: [] });
    },
    ...overrides,
  };
  return { backend, calls, script };
}

export interface Server extends Fake {
  readonly app: FastifyInstance;
  readonly registry: Registry;
}

/** A server as a node has it, with the fake behind it; not listening yet. */
export async function prometheusServer(
  overrides: Partial<PrometheusBackend> = {},
  options: Partial<PrometheusApiOptions> = {},
): Promise<Server> {
  const fake = fakeBackend(overrides);
  const registry = new Registry();
  const app = fastify(httpServerOptions());
  await app.register(prometheusApi, {
    backend: fake.backend,
    clock: { ...systemClock, nowMs: () => 1_700_000_000_000 },
    remoteWrite: {
      isEnabled: true,
      acceptedMessages: ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'],
    },
    otlp: { isEnabled: true },
    isLifecycleEnabled: true,
    isAdminEnabled: true,
    corsOrigin: /^http:\/\/good\..*$/,
    registry,
    ...options,
  });
  await app.ready();
  return { ...fake, app, registry };
}
