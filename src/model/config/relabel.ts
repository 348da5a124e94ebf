// The decoder of relabeling rules, with Prometheus' rules on which fields an action needs or refuses.
import { isValidLabelName } from '../names.ts';
import { quoteGo } from '../quote.ts';
import { AnchoredRegex } from '../regex/anchored_regex.ts';
import { field, list, type ObjectDecoder, optionalList, type Report, section } from './collections.ts';
import type { Decoder } from './decoder.ts';
import type { RelabelAction, RelabelConfig } from './relabel_types.ts';
import { fromText, labelName, regexPattern, string, uint } from './scalars.ts';

const actions: readonly RelabelAction[] = [
  'replace',
  'keep',
  'drop',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
];

const action: Decoder<RelabelAction | ''> = fromText<RelabelAction | ''>('', (text) => {
  const found = actions.find((name) => name === text.toLowerCase());
  if (found === undefined) throw new Error(`unknown relabel action ${quoteGo(text)}`);
  return found;
});

interface RawRelabel {
  readonly action: RelabelAction | '';
  readonly sourceLabels: readonly string[] | undefined;
  readonly separator: string;
  /** undefined: not written, which is not the same as writing the default. */
  readonly regex: string | undefined;
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
}

const defaultRegex = '(.*)';
const defaultSeparator = ';';
const defaultReplacement = '$1';

const rule: ObjectDecoder<RelabelConfig> = section<RawRelabel, RelabelConfig>(
  {
    action: field('action', action, 'replace'),
    sourceLabels: field('source_labels', optionalList(labelName)),
    separator: field('separator', string, defaultSeparator),
    regex: field<string | undefined>('regex', { ...regexPattern, zero: '' }, undefined),
    modulus: field('modulus', uint),
    targetLabel: field('target_label', string),
    replacement: field('replacement', string, defaultReplacement),
  },
  (raw, report) => {
    check(raw, report);
    return {
      ...raw,
      action: raw.action === '' ? 'replace' : raw.action,
      sourceLabels: raw.sourceLabels ?? [],
      regex: raw.regex ?? defaultRegex,
    };
  },
);

const needTarget = new Set<string>([
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
]);
const keepReplacement = new Set<string>(['lowercase', 'uppercase', 'keepequal', 'dropequal']);

function check(raw: RawRelabel, report: Report): void {
  const { action: name, targetLabel } = raw;
  if (name === '') report('relabel action cannot be empty', 'action');
  if (name === 'hashmod' && raw.modulus === 0) {
    report('relabel configuration for hashmod requires non-zero modulus', 'modulus');
  }
  if (needTarget.has(name)) {
    if (targetLabel === '') {
      report(`relabel configuration for ${name} action requires 'target_label' value`);
    } else if (!isValidLabelName(targetLabel)) {
      report(`${quoteGo(targetLabel)} is invalid 'target_label' for ${name} action`, 'target_label');
    }
  }
  if (name === 'labelmap' && !isValidLabelName(raw.replacement)) {
    report(`${quoteGo(raw.replacement)} is invalid 'replacement' for ${name} action`, 'replacement');
  }
  checkSuperfluous(raw, report);
}

/** Names of the legacy scheme, and templates that may become one. */
const legacyTemplate = AnchoredRegex.compile('(?:(?:[a-zA-Z_]|\\$(?:\\{\\w+\\}|\\w+))+\\w*)+');

/** What of a rule can make no name of the legacy scheme, if anything. */
export function legacyNameProblem({
  action: name,
  targetLabel,
  replacement,
}: RelabelConfig): string | undefined {
  const isGoodTarget =
    name === 'replace' && targetLabel.includes('$')
      ? legacyTemplate.test(targetLabel)
      : isValidLabelName(targetLabel, 'legacy');
  if (needTarget.has(name) && !isGoodTarget)
    return `${quoteGo(targetLabel)} is invalid 'target_label' for ${name} action`;
  return name === 'labelmap' && !legacyTemplate.test(replacement)
    ? `${quoteGo(replacement)} is invalid 'replacement' for ${name} action`
    : undefined;
}

/** Fields that an action does not use must be left at their defaults. */
function checkSuperfluous(raw: RawRelabel, report: Report): void {
  const { action: name } = raw;
  if (keepReplacement.has(name) && raw.replacement !== defaultReplacement) {
    report(`'replacement' can not be set for ${name} action`, 'replacement');
  }
  const plain =
    raw.modulus === 0 && raw.separator === defaultSeparator && raw.replacement === defaultReplacement;
  if ((name === 'keepequal' || name === 'dropequal') && (!plain || raw.regex !== undefined)) {
    report(`${name} action requires only 'source_labels' and \`target_label\`, and no other fields`);
  }
  const unlabelled = raw.sourceLabels === undefined && raw.targetLabel === '';
  if ((name === 'labeldrop' || name === 'labelkeep') && !(plain && unlabelled)) {
    report(`${name} action requires only 'regex', and no other fields`);
  }
}

/** A list of rules; `nullItem` is what is said of an empty entry. */
export function relabelConfigs(nullItem: string): Decoder<readonly RelabelConfig[]> {
  return list(rule, { nullItem });
}
