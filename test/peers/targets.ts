/** What the targets pages of two servers must agree on, in one form. */
import assert from 'node:assert/strict';
import { api, type LabelRecord, labelText } from './compare.ts';

interface Active {
  readonly discoveredLabels: LabelRecord;
  readonly labels: LabelRecord;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

interface Dropped {
  readonly discoveredLabels: LabelRecord;
  readonly scrapePool: string;
}

export interface TargetsPage {
  readonly active: readonly string[];
  readonly dropped: readonly string[];
}

/** Sorted, one line a target. */
export async function targetsPage(url: string): Promise<TargetsPage> {
  const { data } = await api(url, 'targets');
  const { activeTargets, droppedTargets } = data as { activeTargets: Active[]; droppedTargets: Dropped[] };
  const active = activeTargets.map((target) =>
    [
      target.scrapePool,
      labelText(target.discoveredLabels),
      labelText(target.labels),
      target.scrapeUrl,
      target.scrapeInterval,
      target.scrapeTimeout,
    ].join(' '),
  );
  const dropped = droppedTargets.map(
    ({ scrapePool, discoveredLabels }) => `${scrapePool} ${labelText(discoveredLabels)}`,
  );
  return { active: active.sort(), dropped: dropped.sort() };
}

/** Lines shown when pages differ. */
const shownMax = 10;

function onlyIn(a: readonly string[], b: readonly string[]): string[] {
  const others = new Set(b);
  return a.filter((line) => !others.has(line)).slice(0, shownMax);
}

/** Lines that one page has and the other has not; none when they agree. */
export function pageDifferences(own: TargetsPage, real: TargetsPage): Record<string, readonly string[]> {
  return {
    activeOnlyOurs: onlyIn(own.active, real.active),
    activeOnlyTheirs: onlyIn(real.active, own.active),
    droppedOnlyOurs: onlyIn(own.dropped, real.dropped),
    droppedOnlyTheirs: onlyIn(real.dropped, own.dropped),
  };
}

export function assertSamePages(own: TargetsPage, real: TargetsPage): void {
  const differences = pageDifferences(own, real);
  const none = Object.fromEntries(Object.keys(differences).map((key) => [key, []]));
  assert.deepEqual(differences, none);
  assert.deepEqual([own.active.length, own.dropped.length], [real.active.length, real.dropped.length]);
}
