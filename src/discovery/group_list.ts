/**
 * A list of target groups as text: `[{"targets": ["host:port"], "labels": {"name": "value"}}]`, in JSON or
 * YAML (prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config). Unknown fields are
 * refused, so that a typing error doesn't silently lose targets.
 */
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { errorText } from '../base/index.ts';
import { isValidLabelName, Labels } from '../model/index.ts';
import { BadTargetsError } from './errors.ts';
import { addressLabel } from './target_group.ts';

export interface ListedGroup {
  readonly targets: Labels[];
  readonly labels: Record<string, string>;
}

/** Throws BadTargetsError. */
export function parseGroupList(text: string, syntax: 'json' | 'yaml'): ListedGroup[] {
  let content: unknown;
  try {
    content = syntax === 'json' ? JSON.parse(text) : parseYamlText(text);
  } catch (cause) {
    if (cause instanceof BadTargetsError) throw cause;
    throw new BadTargetsError(errorText(cause), { cause });
  }
  if (content === null || content === undefined || content === '') return [];
  if (!Array.isArray(content)) throw new BadTargetsError('a list of target groups was expected');
  return content.map((group, index) =>
    decodeGroup(syntax === 'json' ? withLowerCaseKeys(group) : group, index),
  );
}

/** Fields of JSON are known whatever their case, as Go knows them. */
function withLowerCaseKeys(group: unknown): unknown {
  if (!isRecord(group)) return group;
  return Object.fromEntries(Object.entries(group).map(([field, value]) => [field.toLowerCase(), value]));
}

/**
 * Every scalar is taken as it is written: a label value 1.10 stays "1.10". Keys that occur twice are found here,
 * as the parser's own search takes time with the square of their number.
 */
function parseYamlText(text: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    logLevel: 'error',
    lineCounter,
  });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value)) {
          const { line } = lineCounter.linePos(key.range?.[0] ?? 0);
          throw new BadTargetsError(`line ${line}: key ${JSON.stringify(key.value)} is given twice`);
        }
        keys.add(key.value);
      }
    },
  });
  return document.toJS();
}

function decodeGroup(value: unknown, index: number): ListedGroup {
  const where = `target group ${index}`;
  if (value === null || value === '') throw new BadTargetsError(`${where}: nil target group item found`);
  if (!isRecord(value)) throw new BadTargetsError(`${where}: expected targets and labels`);
  for (const field of Object.keys(value)) {
    if (field !== 'targets' && field !== 'labels')
      throw new BadTargetsError(`${where}: unknown field "${field}"`);
  }
  const targets = isNothing(value['targets']) ? [] : value['targets'];
  const labels = isNothing(value['labels']) ? {} : value['labels'];
  if (!Array.isArray(targets)) throw new BadTargetsError(`${where}: targets: a list was expected`);
  if (!isRecord(labels)) throw new BadTargetsError(`${where}: labels: name and value pairs were expected`);
  return {
    targets: targets.map((address) => {
      if (typeof address !== 'string' && address !== null)
        throw new BadTargetsError(`${where}: a target is not a string`);
      return Labels.fromRecord({ [addressLabel]: address ?? '' });
    }),
    labels: decodeLabels(labels, where),
  };
}

function decodeLabels(labels: Record<string, unknown>, where: string): Record<string, string> {
  const decoded: [string, string][] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (!isValidLabelName(name)) throw new BadTargetsError(`${where}: "${name}" is not a valid label name`);
    if (typeof value !== 'string' && value !== null)
      throw new BadTargetsError(`${where}: label "${name}" is not a string`);
    decoded.push([name, value ?? '']);
  }
  return Object.fromEntries(decoded);
}

/** A field without a value; YAML's is an empty text here, where every scalar is taken as it is written. */
const isNothing = (value: unknown): boolean => value === undefined || value === null || value === '';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
