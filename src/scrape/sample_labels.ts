/**
 * From the labels of a scraped series to those that are stored: target labels join, collisions are resolved by
 * honor_labels, metric relabeling has its say, limits are checked.
 */
import { isValidLabelName, isValidMetricName, type Labels, LabelsBuilder, quoteGo } from '../model/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import { ScrapeError } from './errors.ts';
import type { Relabeler } from './relabel.ts';

const exportedLabelPrefix = 'exported_';
const excerptLengthMax = 50;

export class SampleLabeler {
  readonly #config: ScrapeConfig;
  readonly #targetLabels: Labels;
  readonly #relabeler: Relabeler;

  constructor(config: ScrapeConfig, targetLabels: Labels, relabeler: Relabeler) {
    this.#config = config;
    this.#targetLabels = targetLabels;
    this.#relabeler = relabeler;
  }

  /**
   * `pairs` as ExpositionSink.define gets them. Undefined: dropped by relabeling. Throws ScrapeError when the
   * result is no valid series or beyond a label limit.
   */
  resolve(pairs: readonly string[]): Labels | undefined {
    const builder = this.#config.honorLabels ? this.#honored(pairs) : this.#renamed(pairs);
    if (!this.#relabeler.apply(builder)) return undefined;
    const labels = builder.labels();
    if (labels.size === 0) return undefined;
    this.#validate(labels);
    this.#checkLimits(labels);
    return labels;
  }

  /** The scraped label wins; an empty scraped value removes the target's label. */
  #honored(pairs: readonly string[]): LabelsBuilder {
    const builder = scrapedBuilder(pairs);
    const exposed = new Set<string>();
    for (let i = 0; i < pairs.length; i += 2) exposed.add(pairs[i] as string);
    for (const [name, value] of this.#targetLabels) if (!exposed.has(name)) builder.set(name, value);
    return builder;
  }

  /** The target's label wins; a scraped one of that name is kept as `exported_<name>`. */
  #renamed(pairs: readonly string[]): LabelsBuilder {
    const builder = scrapedBuilder(pairs);
    const conflicts: [string, string][] = [];
    for (const [name, value] of this.#targetLabels) {
      const scraped = builder.get(name);
      if (scraped !== '') conflicts.push([name, scraped]);
      builder.set(name, value);
    }
    // Shorter names first, so that `instance` takes exported_instance before a scraped exported_instance moves on.
    conflicts.sort((a, b) => a[0].length - b[0].length);
    for (const [name, value] of conflicts) {
      let renamed = exportedLabelPrefix + name;
      while (builder.get(renamed) !== '') renamed = exportedLabelPrefix + renamed;
      builder.set(renamed, value);
    }
    return builder;
  }

  #validate(labels: Labels): void {
    const scheme = this.#config.metricNameValidationScheme;
    const metric = labels.metricName;
    if (metric === '') throw new ScrapeError('series_name', 'missing metric name (__name__ label)');
    let isValid = isValidMetricName(metric, scheme);
    for (const [name, value] of labels) {
      isValid &&= isValidLabelName(name, scheme) && value.isWellFormed();
    }
    if (!isValid) {
      throw new ScrapeError('series_name', `invalid metric name or label names: ${shown(labels)}`);
    }
  }

  #checkLimits(labels: Labels): void {
    const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = this.#config;
    const metric = labels.metricName.slice(0, excerptLengthMax);
    if (labelLimit > 0 && labels.size > labelLimit) {
      throw new ScrapeError(
        'label_limit',
        `label_limit exceeded (metric: ${metric}, number of labels: ${labels.size}, limit: ${labelLimit})`,
      );
    }
    if (labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
    for (const [name, value] of labels) {
      const shown = name.slice(0, excerptLengthMax);
      const nameLength = Buffer.byteLength(name);
      if (labelNameLengthLimit > 0 && nameLength > labelNameLengthLimit) {
        throw new ScrapeError(
          'label_limit',
          `label_name_length_limit exceeded (metric: ${metric}, label name: ${shown}, length: ${nameLength}, limit: ${labelNameLengthLimit})`,
        );
      }
      const valueLength = Buffer.byteLength(value);
      if (labelValueLengthLimit > 0 && valueLength > labelValueLengthLimit) {
        throw new ScrapeError(
          'label_limit',
          `label_value_length_limit exceeded (metric: ${metric}, label name: ${shown}, value: ${quoteGo(value.slice(0, excerptLengthMax))}, length: ${valueLength}, limit: ${labelValueLengthLimit})`,
        );
      }
    }
  }
}

/** All labels in braces, the name among them. */
function shown(labels: Labels): string {
  const quoted = (name: string): string => (isValidLabelName(name, 'legacy') ? name : quoteGo(name));
  return `{${[...labels].map(([name, value]) => `${quoted(name)}=${quoteGo(value)}`).join(', ')}}`;
}

/** Throws when a name occurs twice with a value: no series can have both. An empty value wins over any other. */
function scrapedBuilder(pairs: readonly string[]): LabelsBuilder {
  const builder = new LabelsBuilder();
  let hasEmpty = false;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    const value = pairs[i + 1] as string;
    if (value === '') hasEmpty = true;
    else if (builder.get(name) !== '') {
      throw new ScrapeError('series_name', `label name "${name}" is not unique: invalid sample`);
    } else builder.set(name, value);
  }
  if (hasEmpty) {
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i + 1] === '') builder.delete(pairs[i] as string);
  }
  return builder;
}
