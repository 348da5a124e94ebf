// From texts given on the command line or in the environment to typed flags. The command line wins over the
// environment, the environment over the default.
import { errorText } from '../base/index.ts';
import { environmentName, type FlagSpec, flagTable, flagText, parseSwitch } from './flag_table.ts';
import type { NodeFlags, ParsedNodeFlags } from './flags.ts';
import { ignoredFlags } from './ignored_flags.ts';

/** Texts by flag name: several where a flag was given several times; `true`/`false` for switches. */
export type GivenFlags = ReadonlyMap<string, readonly string[]>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value that a flag does not take, or a file that is not there. The message names the flag. */
export class FlagError extends Error {}

interface Resolved<T> {
  readonly value: T;
  readonly given: boolean;
}

/** Throws FlagError. `isReadable` says whether a file can be read. */
export function resolveNodeFlags(
  given: GivenFlags,
  environment: Environment,
  isReadable: (path: string) => boolean,
): ParsedNodeFlags {
  const values: Partial<Record<keyof NodeFlags, NodeFlags[keyof NodeFlags]>> = {};
  const flagTexts: Record<string, string> = {};
  const notYetEffective: string[] = [];
  const missing: string[] = [];
  for (const [key, spec] of Object.entries(flagTable) as [keyof NodeFlags, FlagSpec<unknown>][]) {
    const { value, given: isGiven } = resolve(spec, given, environment);
    if (spec.isFile === true && typeof value === 'string' && value !== '' && !isReadable(value)) {
      missing.push(`--${spec.name}: cannot read ${value}${isGiven ? '' : ' (the default; give another)'}`);
    }
    const known = value as NodeFlags[keyof NodeFlags];
    values[key] = known;
    flagTexts[spec.name] = flagText(key, known);
    const notYet = spec.notYet?.(value);
    if (notYet !== undefined) notYetEffective.push(`--${spec.name}=${flagTexts[spec.name]}: ${notYet}`);
  }
  const [firstMissing] = missing;
  if (firstMissing !== undefined) throw new FlagError(firstMissing);
  for (const name of Object.keys(ignoredFlags)) {
    if (given.has(name)) notYetEffective.push(`--${name}: taken for Prometheus' sake, it has no effect here`);
  }
  // Every key of the table was visited, and each spec's parse gives its key's type.
  return { ...(values as unknown as NodeFlags), flagTexts, notYetEffective };
}

function resolve<T>(spec: FlagSpec<T>, given: GivenFlags, environment: Environment): Resolved<T> {
  const cli = given.get(spec.name);
  if (cli !== undefined) return { value: parseTexts(spec, cli, `--${spec.name}`), given: true };
  const variable = environmentName(spec.name);
  const text = environment[variable];
  if (text === undefined || (text === '' && spec.initial !== ''))
    return { value: spec.initial, given: false };
  const texts = spec.repeatable === true ? text.split(',').map((part) => part.trim()) : [text];
  return { value: parseTexts(spec, texts, variable), given: true };
}

function parseTexts<T>(spec: FlagSpec<T>, texts: readonly string[], source: string): T {
  const parsed = texts.map((text) => {
    try {
      return spec.parse(text);
    } catch (error) {
      throw new FlagError(`${source}: bad value ${JSON.stringify(text)}: ${errorText(error)}`);
    }
  });
  const last = parsed.at(-1);
  if (last === undefined) return spec.initial;
  // A repeatable flag's parse gives a list with what one text says.
  return spec.repeatable === true ? (parsed.flat() as T) : last;
}

/** Whether a flag is a switch, which takes no value. */
function isSwitch(name: string): boolean {
  const spec = Object.values(flagTable).find((candidate) => candidate.name === name);
  return spec === undefined ? ignoredFlags[name] === true : spec.value === undefined;
}

/**
 * Flags as Go programs take them, rewritten for an ordinary parser: one dash before a long name, and
 * `--switch=false`.
 */
export function normalizeArguments(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  const flags = end < 0 ? words : words.slice(0, end);
  return [...flags.map(normalizeWord), ...(end < 0 ? [] : words.slice(end))];
}

function normalizeWord(word: string): string {
  const dashed = /^-[a-z][a-z.-]/.test(word) ? `-${word}` : word;
  const found = /^--([a-z.-]+)=(.*)$/s.exec(dashed);
  const [, name = '', text = ''] = found ?? [];
  if (found === null || !isSwitch(name)) return dashed;
  return parseSwitch(text) ? `--${name}` : `--no-${name}`;
}
