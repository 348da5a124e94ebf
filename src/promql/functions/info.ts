/**
 * info(): joins the labels of info metrics (`target_info` and the like) to series of the same target, told by
 * `instance` and `job`. Of several info series of one metric and target the one with the newest sample counts.
 */
import { type Labels, LabelsBuilder, type Matcher, metricNameLabel } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { Evaluator } from '../eval/context.ts';
import { seriesOf } from '../eval/raw.ts';
import { evaluateSelector } from '../eval/selector.ts';
import { isEmptyColumn, mergeSameLabels, noHistograms, sameLabelsetMessage } from '../eval/values.ts';
import type { VectorSelector } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import { argument, type FunctionFamily, type FunctionSpec } from './function.ts';

const identifyingLabels: readonly string[] = ['instance', 'job'];

/** At each step the index of the info series that counts, -1 for none. */
interface InfoColumn {
  readonly infos: readonly Labels[];
  readonly chosen: Int32Array;
}

const info: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const { series } = await evaluator.vector(argument(call, 0));
    const selector = argument(call, 1);
    if (selector.kind !== 'vector') throw new ExecutionError('info() takes a label selector');
    const names = selector.matchers.filter(({ name }) => name === metricNameLabel);
    const asked = selector.matchers.filter(({ name }) => name !== metricNameLabel);
    const isInfo = ({ labels }: StepSeries): boolean =>
      names.every((name) => name.matches(labels.metricName));
    const targets = series.filter((one) => !isInfo(one));
    const found = (await evaluateSelector(selector, evaluator, 'timestamps')).series;
    await refuseHistograms(selector, evaluator, targets);
    const columns = chooseNewest(found.filter(ofTargets(targets)), evaluator.grid.steps);
    const joiner = new Joiner(columns, asked);
    const results = series.flatMap((one) => (isInfo(one) ? [one] : joiner.join(one)));
    return { type: 'vector', series: mergeSameLabels(results) };
  },
};

/** Throws ExecutionError when an info series has a native histogram at a step. */
async function refuseHistograms(
  selector: VectorSelector,
  evaluator: Evaluator,
  targets: readonly StepSeries[],
): Promise<void> {
  if (!seriesOf(selector, evaluator).some(({ histograms }) => histograms !== undefined)) return;
  const { series } = await evaluateSelector(selector, evaluator);
  for (const { present, histograms } of series.filter(ofTargets(targets))) {
    if (!histograms?.some((histogram, i) => histogram !== null && present[i] === 1)) continue;
    throw new ExecutionError('info sample should be float');
  }
}

/** Info series whose identifying labels occur among the targets. */
function ofTargets(targets: readonly StepSeries[]): (series: StepSeries) => boolean {
  const values = identifyingLabels.map((name) => ({
    name,
    values: new Set(targets.map(({ labels }) => labels.get(name)).filter((value) => value !== '')),
  }));
  const known = values.filter((label) => label.values.size > 0);
  return ({ labels }) => known.length > 0 && known.every((label) => label.values.has(labels.get(label.name)));
}

function targetKey(labels: Labels): string {
  return JSON.stringify(identifyingLabels.map((name) => labels.get(name)));
}

/** By info metric, then by target. */
function chooseNewest(infos: readonly StepSeries[], steps: number): Map<string, Map<string, InfoColumn>> {
  const byName = new Map<string, Map<string, { members: StepSeries[] }>>();
  for (const one of infos) {
    const byTarget = byName.get(one.labels.metricName) ?? new Map<string, { members: StepSeries[] }>();
    byName.set(one.labels.metricName, byTarget);
    const group = byTarget.get(targetKey(one.labels)) ?? { members: [] };
    byTarget.set(targetKey(one.labels), group);
    group.members.push(one);
  }
  const columns = new Map<string, Map<string, InfoColumn>>();
  for (const [name, byTarget] of byName) {
    const chosen = new Map<string, InfoColumn>();
    for (const [key, { members }] of byTarget) chosen.set(key, newestOf(members, steps));
    columns.set(name, chosen);
  }
  return columns;
}

function newestOf(members: readonly StepSeries[], steps: number): InfoColumn {
  const chosen = new Int32Array(steps).fill(-1);
  for (const [index, { labels, values, present }] of members.entries()) {
    for (let step = 0; step < steps; step++) {
      if (present[step] !== 1) continue;
      const best = members[chosen[step] as number];
      const seconds = values[step] as number;
      if (best === undefined || seconds > (best.values[step] as number)) chosen[step] = index;
      else if (seconds === best.values[step]) {
        const at = seconds * 1000;
        throw new ExecutionError(
          `found duplicate series for info metric: existing ${best.labels} @ ${at}, new ${labels} @ ${at}`,
        );
      }
    }
  }
  return { infos: members.map(({ labels }) => labels), chosen };
}

class Joiner {
  readonly #columns: ReadonlyMap<string, ReadonlyMap<string, InfoColumn>>;
  readonly #names: ReadonlySet<string>;
  /** Series without info stay only when the labels that were asked for may be absent. */
  readonly #keepsUnjoined: boolean;

  constructor(columns: ReadonlyMap<string, ReadonlyMap<string, InfoColumn>>, asked: readonly Matcher[]) {
    this.#columns = columns;
    this.#names = new Set(asked.map(({ name }) => name));
    this.#keepsUnjoined = asked.every((matcher) => matcher.matches(''));
  }

  /** The series once per set of labels that it is given over the steps. */
  join(base: StepSeries): StepSeries[] {
    const key = targetKey(base.labels);
    const columns: InfoColumn[] = [];
    for (const byTarget of this.#columns.values()) {
      const column = byTarget.get(key);
      if (column !== undefined) columns.push(column);
    }
    const byChoice = new Map<string, StepSeries | undefined>();
    for (let step = 0; step < base.present.length; step++) {
      if (base.present[step] !== 1) continue;
      const choice = columns.map(({ chosen }) => chosen[step]).join();
      if (!byChoice.has(choice)) byChoice.set(choice, this.#joined(base, columns, step));
      const result = byChoice.get(choice);
      if (result === undefined) continue;
      if (result.present[step] === 1) throw new ExecutionError(sameLabelsetMessage);
      result.values[step] = base.values[step] as number;
      if (result.histograms !== undefined) result.histograms[step] = base.histograms?.[step] ?? null;
      result.present[step] = 1;
    }
    return [...byChoice.values()].filter(
      (one) => one !== undefined && !isEmptyColumn(one.present),
    ) as StepSeries[];
  }

  /** An empty series with the labels of a step; undefined when the base series has no place in the result. */
  #joined(base: StepSeries, columns: readonly InfoColumn[], step: number): StepSeries | undefined {
    const added = new LabelsBuilder();
    let joined = false;
    for (const { infos, chosen } of columns) {
      const labels = infos[chosen[step] as number];
      if (labels === undefined) continue;
      joined = true;
      for (const [name, value] of labels) this.#add(added, base.labels, name, value);
    }
    if (!joined && !this.#keepsUnjoined) return undefined;
    const result = new LabelsBuilder(base.labels);
    for (const [name, value] of added.entries()) result.set(name, value);
    const steps = base.present.length;
    return {
      labels: result.labels(),
      values: new Float64Array(steps),
      present: new Uint8Array(steps),
      ...(base.histograms === undefined ? {} : { histograms: noHistograms(steps) }),
      ...(base.dropName === true ? { dropName: true } : {}),
    };
  }

  #add(added: LabelsBuilder, base: Labels, name: string, value: string): void {
    if (name === metricNameLabel) return;
    if (this.#names.size > 0 && !this.#names.has(name)) return;
    const other = added.get(name);
    if (other !== '' && other !== value) throw new ExecutionError(`conflicting label: ${name}`);
    if (!base.has(name)) added.set(name, value);
  }
}

export const infoFunctions: FunctionFamily<'info'> = { info };
