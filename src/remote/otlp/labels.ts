/** The labels of OTLP series: attributes, promoted attributes of the resource, `job` and `instance`, the scope's. */
import { compareBytes, Labels, metricNameLabel } from '../../model/index.ts';
import type { Attributes, OtlpScope } from './model.ts';
import { labelName, type NameRules } from './names.ts';

/** The section `otlp` of the configuration, as far as it says which labels there are. */
export interface LabelRules extends NameRules {
  readonly promoteAll: boolean;
  /** Attributes of the resource that are promoted, or with `promoteAll` those that are not. */
  readonly resourceAttributes: readonly string[];
  readonly promoteScope: boolean;
}

export const serviceName = 'service.name';
export const serviceNamespace = 'service.namespace';
export const serviceInstance = 'service.instance.id';

const get = (attributes: Attributes, key: string): string | undefined =>
  attributes.find(([name]) => name === key)?.[1];

const byKey = (a: readonly [string, string], b: readonly [string, string]): number =>
  compareBytes(a[0], b[0]);

/** What all series of a resource and a scope have in common. */
export class ResourceLabels {
  readonly #rules: LabelRules;
  readonly #promoted: (readonly [string, string])[];
  readonly #target = new Map<string, string>();

  constructor(attributes: Attributes, rules: LabelRules) {
    this.#rules = rules;
    const listed = new Set(rules.resourceAttributes);
    this.#promoted = attributes
      .filter(([key]) => listed.has(key) !== rules.promoteAll)
      .toSorted(byKey)
      .map(([key, value]) => [labelName(key, rules), value] as const);
    const name = get(attributes, serviceName);
    const namespace = get(attributes, serviceNamespace);
    const instance = get(attributes, serviceInstance);
    if (name !== undefined) this.#target.set('job', namespace === undefined ? name : `${namespace}/${name}`);
    if (instance !== undefined) this.#target.set('instance', instance);
  }

  get isIdentified(): boolean {
    return this.#target.size > 0;
  }

  /** Of a data point, without the name. */
  ofPoint(attributes: Attributes, scope: OtlpScope | undefined): Map<string, string> {
    const labels = this.#joined(attributes);
    for (const [name, value] of this.#promoted) if (!labels.has(name)) labels.set(name, value);
    if (scope !== undefined && this.#rules.promoteScope && scope.name !== '') this.#addScope(labels, scope);
    return this.#withTarget(labels);
  }

  /** Of `target_info`, which nothing is promoted to. */
  ofTarget(attributes: Attributes): Map<string, string> {
    return this.#withTarget(this.#joined(attributes));
  }

  /** Attributes whose names become the same are joined in the order of their keys. */
  #joined(attributes: Attributes): Map<string, string> {
    const labels = new Map<string, string>();
    for (const [key, value] of attributes.toSorted(byKey)) {
      const name = labelName(key, this.#rules);
      const known = labels.get(name);
      labels.set(name, known === undefined ? value : `${known};${value}`);
    }
    return labels;
  }

  #addScope(labels: Map<string, string>, scope: OtlpScope): void {
    for (const [key, value] of scope.attributes)
      labels.set(labelName(`otel_scope_${key}`, this.#rules), value);
    labels.set('otel_scope_name', scope.name);
    labels.set('otel_scope_version', scope.version);
    labels.set('otel_scope_schema_url', scope.schemaUrl);
  }

  #withTarget(labels: Map<string, string>): Map<string, string> {
    for (const [name, value] of this.#target) labels.set(name, value);
    return labels;
  }
}

/**
 * The label set of one series; undefined when it is none: a name is missing or not well-formed, or an attribute has the
 * name of a label that the series needs for itself.
 */
export function seriesLabels(
  base: ReadonlyMap<string, string>,
  name: string,
  extra?: readonly [string, string],
): Labels | undefined {
  if (name === '' || !name.isWellFormed()) return undefined;
  if (extra !== undefined && base.has(extra[0])) return undefined;
  const labels = new Map(base);
  if (extra !== undefined) labels.set(extra[0], extra[1]);
  labels.set(metricNameLabel, name);
  for (const label of labels.keys()) if (label === '' || !label.isWellFormed()) return undefined;
  return Labels.fromPairs(labels);
}
