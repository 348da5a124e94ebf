/** Targets, metadata, rules, alerts and status: what a Prometheus tells of itself, here of the whole cluster where that makes sense. */
import type { FastifyInstance } from 'fastify';
import type { PrometheusBackend, RulesFilter, TargetsFilter } from '../backend.ts';
import { badParam, Params } from '../params.ts';
import { clientSignal, sendAnswer, sendData } from '../respond.ts';

function targetsFilter(params: Params): TargetsFilter {
  const state = (params.text('state') ?? 'any').toLowerCase();
  const scrapePool = params.text('scrapePool');
  return {
    state: state === 'active' || state === 'dropped' ? state : 'any',
    ...(scrapePool === undefined ? {} : { scrapePool }),
  };
}

function rulesFilter(params: Params): RulesFilter {
  const type = params.text('type');
  if (type !== undefined && type !== '' && type !== 'alert' && type !== 'record') {
    throw badParam('type', `not supported value ${JSON.stringify(type)}`);
  }
  return {
    ...(type === 'alert' || type === 'record' ? { type } : {}),
    ruleNames: params.all('rule_name[]'),
    ruleGroups: params.all('rule_group[]'),
    files: params.all('file[]'),
    excludeAlerts: params.isTrue('exclude_alerts', false),
    match: params.all('match[]'),
  };
}

export function registerStatusRoutes(app: FastifyInstance, backend: PrometheusBackend): void {
  app.get('/targets', async (request, reply) => {
    const filter = targetsFilter(Params.of(request));
    await sendAnswer(reply, await backend.targets(filter, clientSignal(request, reply)));
  });
  app.get('/scrape_pools', (_request, reply) => sendData(reply, { scrapePools: backend.scrapePools() }));
  app.get('/metadata', async (request, reply) => {
    const params = Params.of(request);
    const metric = params.text('metric');
    const limit = params.count('limit');
    const limitPerMetric = params.count('limit_per_metric');
    const filter = {
      ...(metric === undefined || metric === '' ? {} : { metric }),
      ...(limit === undefined ? {} : { limit }),
      ...(limitPerMetric === undefined ? {} : { limitPerMetric }),
    };
    await sendAnswer(reply, await backend.metadata(filter, clientSignal(request, reply)));
  });
  app.get('/rules', async (request, reply) => {
    await sendAnswer(
      reply,
      await backend.rules(rulesFilter(Params.of(request)), clientSignal(request, reply)),
    );
  });
  app.get('/alerts', async (request, reply) => {
    await sendAnswer(reply, await backend.alerts(clientSignal(request, reply)));
  });
  app.get('/alertmanagers', (_request, reply) => sendData(reply, backend.alertmanagers()));
  app.get('/status/config', (_request, reply) => sendData(reply, { yaml: backend.configText() }));
  app.get('/status/flags', (_request, reply) => sendData(reply, backend.flags()));
  app.get('/status/buildinfo', (_request, reply) => sendData(reply, backend.buildInfo()));
  app.get('/status/runtimeinfo', async (_request, reply) => sendData(reply, await backend.runtimeInfo()));
  app.get('/cluster', (_request, reply) => sendData(reply, backend.cluster()));
}
