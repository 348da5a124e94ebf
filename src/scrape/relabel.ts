/**
 * Relabeling: rules that rewrite, keep or drop a label set
 * (prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config). Targets, scraped
 * samples, alerts and remote writes all pass through rules of this kind.
 */
import { createHash } from 'node:crypto';
import {
  AnchoredRegex,
  isValidLabelName,
  type Labels,
  LabelsBuilder,
  type NameScheme,
  type RelabelConfig,
} from '../model/index.ts';

/** Returns false when the label set is to be dropped. */
type Rule = (builder: LabelsBuilder) => boolean;

/** A list of rules, compiled once. */
export class Relabeler {
  readonly #rules: readonly Rule[];

  /** `scheme` says which target names a `replace` may produce; others leave the labels as they are. */
  constructor(configs: readonly RelabelConfig[], scheme: NameScheme = 'utf8') {
    this.#rules = configs.map((config) => compileRule(config, scheme));
  }

  /** Rewrites in place. False: dropped, and the builder's content means nothing any more. */
  apply(builder: LabelsBuilder): boolean {
    for (const rule of this.#rules) if (!rule(builder)) return false;
    return true;
  }

  /** The relabeled labels; undefined when dropped. */
  relabel(labels: Labels): Labels | undefined {
    if (this.#rules.length === 0) return labels;
    const builder = new LabelsBuilder(labels);
    return this.apply(builder) ? builder.labels() : undefined;
  }
}

function compileRule(config: RelabelConfig, scheme: NameScheme): Rule {
  const { sourceLabels, separator, targetLabel } = config;
  const source = (builder: LabelsBuilder): string =>
    sourceLabels.map((name) => builder.get(name)).join(separator);
  const setTarget =
    (compute: (value: string) => string): Rule =>
    (builder) => {
      builder.set(targetLabel, compute(source(builder)));
      return true;
    };
  const compilePattern = (): AnchoredRegex => AnchoredRegex.compile(config.regex);
  switch (config.action) {
    case 'replace':
      return replaceRule(config, scheme, source);
    case 'keep': {
      const pattern = compilePattern();
      return (builder) => pattern.test(source(builder));
    }
    case 'drop': {
      const pattern = compilePattern();
      return (builder) => !pattern.test(source(builder));
    }
    case 'keepequal':
      return (builder) => builder.get(targetLabel) === source(builder);
    case 'dropequal':
      return (builder) => builder.get(targetLabel) !== source(builder);
    case 'lowercase':
      return setTarget((value) => mapCase(value, (char) => char.toLowerCase()));
    case 'uppercase':
      return setTarget((value) => mapCase(value, (char) => char.toUpperCase()));
    case 'hashmod':
      return setTarget((value) => hashModulo(value, config.modulus));
    case 'labelmap':
      return labelMapRule(compilePattern(), config.replacement);
    case 'labeldrop': {
      const pattern = compilePattern();
      return deleteWhere((name) => pattern.test(name));
    }
    case 'labelkeep': {
      const pattern = compilePattern();
      return deleteWhere((name) => !pattern.test(name));
    }
  }
}

function replaceRule(
  config: RelabelConfig,
  scheme: NameScheme,
  source: (from: LabelsBuilder) => string,
): Rule {
  const { targetLabel, replacement } = config;
  const pattern = AnchoredRegex.compile(config.regex);
  const isConstant = config.regex === '(.*)' && !targetLabel.includes('$') && !replacement.includes('$');
  return (builder) => {
    const value = source(builder);
    if (isConstant) {
      builder.set(targetLabel, replacement);
      return true;
    }
    const target = pattern.expand(value, targetLabel);
    if (target !== undefined && isValidLabelName(target, scheme)) {
      builder.set(target, pattern.expand(value, replacement) ?? '');
    }
    return true;
  };
}

function labelMapRule(pattern: AnchoredRegex, replacement: string): Rule {
  return (builder) => {
    for (const [name, value] of [...builder.entries()]) {
      const renamed = pattern.expand(name, replacement);
      if (renamed !== undefined && renamed !== '') builder.set(renamed, value);
    }
    return true;
  };
}

function deleteWhere(unwanted: (name: string) => boolean): Rule {
  return (builder) => {
    for (const [name] of [...builder.entries()]) if (unwanted(name)) builder.delete(name);
    return true;
  };
}

/** The last 8 bytes of the MD5, big endian, so that a fleet of Prometheus servers and we shard alike. */
function hashModulo(value: string, modulus: number): string {
  const digest = createHash('md5').update(value).digest();
  return String(digest.readBigUInt64BE(8) % BigInt(modulus));
}

/** Character by character, each to one character, as Go does it. */
function mapCase(value: string, map: (char: string) => string): string {
  let mapped = '';
  for (const char of value) {
    const other = map(char);
    mapped += other.length === char.length ? other : (simpleMappings().get(other) ?? char);
  }
  return mapped;
}

/** Greek letters whose full mapping is two characters, and whose simple one is the letter of titles. */
const greekTitles = { first: 0x1f80, last: 0x1fff };
let simple: Map<string, string> | undefined;

/**
 * Unicode's simple mappings (UnicodeData.txt) where they differ from the full ones that the platform has, by the full
 * mapping: a letter has one that is not itself only where another letter maps back to it.
 */
function simpleMappings(): ReadonlyMap<string, string> {
  if (simple !== undefined) return simple;
  simple = new Map([['\u0130'.toLowerCase(), 'i']]);
  for (let code = greekTitles.first; code <= greekTitles.last; code++) {
    const title = String.fromCodePoint(code);
    const lower = title.toLowerCase();
    if (lower !== title && lower.toUpperCase().length > 1) simple.set(lower.toUpperCase(), title);
  }
  return simple;
}
