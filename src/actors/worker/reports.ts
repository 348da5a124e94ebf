/** What a worker tells of its targets and its data, for the pages that show the whole cluster: JSON lists. */
import { type Matcher, matchesAll } from '../../model/index.ts';
import { parseSelector } from '../../promql/index.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { ReportFilter, ReportKind } from './messages.ts';
import type { ScrapeManager } from './scrape_manager.ts';

interface Sources {
  readonly scrapes: ScrapeManager;
  readonly hosted: HostedShards;
}

/** Targets may be many and each may have many families. */
const targetEntriesMax = 1_000_000;

/** Rejects with QueryError on a selector that can't be read. */
export async function reportOf(
  kind: ReportKind,
  filter: ReportFilter,
  sources: Sources,
): Promise<readonly object[]> {
  switch (kind) {
    case 'targets':
      return sources.scrapes.activeTargets();
    case 'droppedTargets':
      return sources.scrapes.droppedTargets();
    case 'metadata':
      return metadata(sources, filter);
    case 'targetMetadata':
      return targetMetadata(sources, filter);
    case 'cardinality':
      return cardinality(sources.hosted, filter.limit ?? 0);
  }
}

interface Entry {
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** Of targets and of what was written: each different entry once, of the first metrics by name. */
function metadata({ scrapes, hosted }: Sources, filter: ReportFilter): Entry[] {
  const byMetric = new Map<string, Map<string, Entry>>();
  const add = (entry: Entry): void => {
    if (filter.metric !== undefined && entry.metric !== filter.metric) return;
    const known = byMetric.get(entry.metric) ?? new Map<string, Entry>();
    byMetric.set(entry.metric, known);
    const perMetricMax = filter.limitPerMetric ?? 0;
    if (perMetricMax > 0 && known.size >= perMetricMax) return;
    known.set(`${entry.type}\n${entry.unit}\n${entry.help}`, entry);
  };
  for (const { families } of scrapes.metadata()) {
    for (const { family: metric, type, help, unit } of families) add({ metric, type, help, unit });
  }
  for (const shard of hosted.hosted) {
    for (const { metric, type, help, unit } of hosted.store(shard)?.metadata().values() ?? []) {
      add({ metric, type: type === '' ? 'unknown' : type, help, unit });
    }
  }
  const metrics = [...byMetric.keys()].sort().slice(0, filter.limit ?? byMetric.size);
  return metrics.flatMap((metric) => [...(byMetric.get(metric)?.values() ?? [])]);
}

/** An asker for one metric knows its name, so that it isn't repeated. */
function targetMetadata({ scrapes }: Sources, { metric, limit, matchTarget }: ReportFilter): object[] {
  const matchers: readonly Matcher[] =
    matchTarget === undefined ? [] : parseSelector(matchTarget, { emptyAllowed: true });
  const entries: object[] = [];
  for (const { target, families } of scrapes.metadata()) {
    // A target's families are told all or not at all, as Prometheus does.
    if (entries.length >= Math.min(limit ?? targetEntriesMax, targetEntriesMax)) break;
    if (!matchesAll(matchers, target)) continue;
    const labels = target.toRecord();
    for (const { family, type, help, unit } of families) {
      if (metric === undefined) entries.push({ target: labels, metric: family, type, help, unit });
      else if (metric === family) entries.push({ target: labels, type, help, unit });
    }
  }
  return entries;
}

/** One item: the worker's. Shards that wait to be handed over count where they are. */
async function cardinality(hosted: HostedShards, topMax: number): Promise<object[]> {
  const stats = hosted.hosted.flatMap((shard) => hosted.store(shard)?.stats() ?? []);
  const stores = await hosted.cardinality(topMax);
  return [
    {
      series: stores.reduce((sum, { series }) => sum + series, 0),
      seriesByMetric: stores.flatMap(({ seriesByMetric }) => seriesByMetric),
      seriesByPair: stores.flatMap(({ seriesByPair }) => seriesByPair),
      valuesByLabel: stores.flatMap(({ valuesByLabel }) => valuesByLabel),
      // Infinity has no JSON text.
      minTimeMs: finite(Math.min(...stats.map(({ minTimeMs }) => minTimeMs))),
      maxTimeMs: finite(Math.max(...stats.map(({ maxTimeMs }) => maxTimeMs))),
    },
  ];
}

const finite = (timeMs: number): number | null => (Number.isFinite(timeMs) ? timeMs : null);
