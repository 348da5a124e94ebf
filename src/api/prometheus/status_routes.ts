/** Targets, metadata, rules, alerts and status: what a Prometheus tells of itself, here of the whole cluster where that makes sense. */
import type { FastifyInstance } from 'fastify';
import { errorText } from '../../base/index.ts';
import { compareBytes, quoteGo } from '../../model/index.ts';
import type {
  MetadataFilter,
  PrometheusBackend,
  RulesFilter,
  TargetMetadataFilter,
  TargetsFilter,
} from '../backend.ts';
import { ApiError } from '../errors.ts';
import { badParam, blaming, Params } from '../params.ts';
import { clientSignal, sendAnswer, sendData } from '../respond.ts';

const targetStates: ReadonlySet<string> = new Set(['active', 'dropped', 'any']);
/** What Prometheus answers to a state that it does not know. */
const noTargets = { activeTargets: [], droppedTargets: [], droppedTargetCounts: null };

/** Undefined when the state is none that a target could have. */
function targetsFilter(params: Params): TargetsFilter | undefined {
  const state = (params.text('state') ?? 'any').toLowerCase();
  const scrapePool = params.text('scrapePool');
  if (!targetStates.has(state)) return undefined;
  return {
    state: state as TargetsFilter['state'],
    ...(scrapePool === undefined ? {} : { scrapePool }),
  };
}

/** An integer, or undefined when it is absent or too small to be a limit. */
function metadataLimit(params: Params, name: string, min: number): number | undefined {
  let limit: number | undefined;
  try {
    limit = params.integer(name);
  } catch (cause) {
    throw new ApiError('bad_data', `${name} must be a number`, { cause });
  }
  return limit !== undefined && limit >= min ? limit : undefined;
}

function metadataFilter(params: Params): MetadataFilter {
  const metric = params.text('metric');
  const limit = metadataLimit(params, 'limit', 0);
  const limitPerMetric = metadataLimit(params, 'limit_per_metric', 1);
  return {
    ...(metric === undefined ? {} : { metric }),
    ...(limit === undefined ? {} : { limit }),
    ...(limitPerMetric === undefined ? {} : { limitPerMetric }),
  };
}

function targetMetadataFilter(params: Params): TargetMetadataFilter {
  const limit = metadataLimit(params, 'limit', 0);
  const matchTarget = params.text('match_target');
  const metric = params.text('metric');
  return {
    ...(metric === undefined ? {} : { metric }),
    ...(limit === undefined ? {} : { limit }),
    ...(matchTarget === undefined ? {} : { matchTarget }),
  };
}

const tsdbEntriesDefault = 10;

function tsdbLimit(params: Params): number {
  try {
    const limit = params.integer('limit') ?? tsdbEntriesDefault;
    if (limit >= 1) return limit;
  } catch (cause) {
    throw new ApiError('bad_data', 'limit must be a positive number', { cause });
  }
  throw new ApiError('bad_data', 'limit must be a positive number');
}

const groupLimitMax = 2 ** 31 - 1;

/** Pages of rule groups. */
function rulesPage(params: Params): Pick<RulesFilter, 'groupLimit' | 'groupNextToken'> {
  const groupNextToken = params.text('group_next_token');
  if (params.text('group_limit') === undefined) {
    if (groupNextToken === undefined) return {};
    throw badParam(
      'group_next_token',
      'group_limit needs to be present in order to paginate over the groups',
    );
  }
  let groupLimit = 0;
  try {
    groupLimit = Math.min(params.integer('group_limit', 'ParseInt') ?? 0, groupLimitMax);
  } catch (error) {
    throw badParam('group_limit', `group_limit needs to be a valid number: ${errorText(error)}`);
  }
  if (groupLimit <= 0) throw badParam('group_limit', 'group_limit needs to be greater than 0');
  return { groupLimit, ...(groupNextToken === undefined ? {} : { groupNextToken }) };
}

function rulesFilter(params: Params): RulesFilter {
  params.checkForm();
  const type = params.text('type')?.toLowerCase();
  if (type !== undefined && type !== 'alert' && type !== 'record') {
    throw badParam('type', `not supported value ${quoteGo(type)}`);
  }
  return {
    ...(type === undefined ? {} : { type }),
    ruleNames: params.all('rule_name[]'),
    ruleGroups: params.all('rule_group[]'),
    files: params.all('file[]'),
    excludeAlerts: params.flag('exclude_alerts'),
    match: params.all('match[]'),
    ...rulesPage(params),
  };
}

/** What the server has and does: targets, rules, alerts, metadata, its configuration and the cluster; GET alone. */
export function registerStatusRoutes(app: FastifyInstance, backend: PrometheusBackend): void {
  app.get('/targets', async (request, reply) => {
    const filter = targetsFilter(Params.of(request));
    if (filter === undefined) return sendData(reply, noTargets);
    return sendAnswer(reply, await backend.targets(filter, clientSignal(request, reply)));
  });
  app.get('/scrape_pools', (_request, reply) => sendData(reply, { scrapePools: backend.scrapePools() }));
  app.get('/metadata', async (request, reply) => {
    const filter = metadataFilter(Params.of(request));
    await sendAnswer(reply, await backend.metadata(filter, clientSignal(request, reply)));
  });
  app.get('/targets/metadata', async (request, reply) => {
    const filter = targetMetadataFilter(Params.of(request));
    const answer = backend.targetMetadata(filter, clientSignal(request, reply));
    await sendAnswer(reply, await blaming('match_target', answer));
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
  app.get('/status/flags', (_request, reply) => sendData(reply, sortedByName(backend.flags())));
  app.get('/status/buildinfo', (_request, reply) => sendData(reply, backend.buildInfo()));
  app.get('/status/runtimeinfo', async (_request, reply) => sendData(reply, await backend.runtimeInfo()));
  app.get('/status/tsdb', async (request, reply) => {
    const limit = tsdbLimit(Params.of(request));
    await sendAnswer(reply, await backend.tsdbStatus(limit, clientSignal(request, reply)));
  });
  app.get('/status/walreplay', (_request, reply) => sendData(reply, backend.walReplay()));
  app.get('/features', (_request, reply) => sendData(reply, backend.features()));
  app.get('/cluster', (_request, reply) => sendData(reply, backend.cluster()));
}

/** Go prints maps in the order of their keys. */
function sortedByName(flags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(flags).sort(([a], [b]) => compareBytes(a, b)));
}
