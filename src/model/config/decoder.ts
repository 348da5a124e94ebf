// Decoders: values that turn a YAML node into a typed value and record what is wrong with it. A decoder never
// throws for bad input; it records a problem and returns its zero value, so that one pass finds everything.
//
// Null and absence differ, as they do for Prometheus: an absent field takes its default, a field written as
// null takes the zero value of its type.
import type { MapNode, ScalarNode, YamlNode } from './document.ts';
import { parseYaml } from './document.ts';
import { ConfigError, type ConfigProblem } from './errors.ts';
import { isNullScalar } from './scalar_value.ts';

export interface Decoder<T> {
  /** What null stands for. */
  readonly zero: T;
  /** Called for nodes that are not null. */
  decode(node: YamlNode, scope: Scope): T;
}

/** Where relative paths start and what `$VAR` means; given from outside so that decoding stays pure. */
export interface DecodeOptions {
  /** Name of the file, for messages. */
  readonly file: string;
  /** Relative paths are joined to it; undefined leaves them as they are. */
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * '3.5': the fields of Prometheus' long-term line only, newer ones are unknown. 'latest' (the default):
   * those of every 3.x.
   */
  readonly compatibility?: Compatibility;
}

export type Compatibility = '3.5' | 'latest';

export interface Decoded<T> {
  readonly value: T;
  /** The text with every secret replaced by `<secret>`. */
  readonly shownYaml: string;
}

/** Nodes that a decoder may visit per node written, aliases counted each time; more is an alias bomb. */
const visitsPerNodeMax = 10;
const visitsAlwaysAllowed = 400_000;
const problemsMax = 1000;

/** State of one decoding pass. */
export class DecodeContext {
  readonly problems: ConfigProblem[] = [];
  readonly secrets: ScalarNode[] = [];
  readonly directory: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly compatibility: Compatibility;
  #visitsLeft: number;

  constructor(options: DecodeOptions, nodes: number) {
    this.directory = options.directory;
    this.environment = options.environment ?? {};
    this.compatibility = options.compatibility ?? 'latest';
    this.#visitsLeft = Math.max(visitsAlwaysAllowed, nodes * visitsPerNodeMax);
  }

  /** Counts a visit; false when the document has used up its visits. */
  visit(): boolean {
    this.#visitsLeft--;
    return this.#visitsLeft >= 0;
  }

  record(problem: ConfigProblem): void {
    if (this.problems.length < problemsMax) this.problems.push(problem);
  }
}

/** The way to a node, for messages, and the pass it belongs to. */
export class Scope {
  readonly context: DecodeContext;
  readonly #parent: Scope | undefined;
  readonly #segment: string | number;

  constructor(context: DecodeContext, parent?: Scope, segment: string | number = '') {
    this.context = context;
    this.#parent = parent;
    this.#segment = segment;
  }

  child(segment: string | number): Scope {
    return new Scope(this.context, this, segment);
  }

  problem(node: { readonly line: number; readonly column: number }, message: string): void {
    this.context.record({ line: node.line, column: node.column, field: this.path(), message });
  }

  path(): string {
    if (this.#parent === undefined) return '';
    const before = this.#parent.path();
    if (typeof this.#segment === 'number') return `${before}[${this.#segment}]`;
    return before === '' ? this.#segment : `${before}.${this.#segment}`;
  }
}

/** The value of a node, null included. */
export function decodeNode<T>(decoder: Decoder<T>, node: YamlNode, scope: Scope): T {
  if (node.kind === 'scalar' && isNullScalar(node)) return decoder.zero;
  if (!scope.context.visit()) {
    if (scope.context.problems.length === 0) scope.problem(node, 'document contains excessive aliasing');
    return decoder.zero;
  }
  return decoder.decode(node, scope);
}

/** Names what a node is, in the words of YAML errors. */
export function nodeKind(node: YamlNode): string {
  if (node.kind === 'map') return 'a mapping';
  if (node.kind === 'list') return 'a list';
  const shown = node.text.length > 40 ? `${node.text.slice(0, 40)}...` : node.text;
  return node.plain ? `\`${shown}\`` : `the string ${JSON.stringify(shown)}`;
}

/**
 * Decodes the first document of `text`; an empty text gives `whenEmpty`. Throws ConfigError with everything
 * that is wrong.
 */
export function decodeYaml<T>(
  text: string,
  decoder: Decoder<T>,
  options: DecodeOptions,
  whenEmpty: T = decoder.zero,
): Decoded<T> {
  const tree = parseYaml(text);
  const context = new DecodeContext(options, tree.nodes);
  for (const problem of tree.problems) context.record(problem);
  const value = tree.root === undefined ? whenEmpty : decodeNode(decoder, tree.root, new Scope(context));
  if (context.problems.length > 0) {
    throw new ConfigError(
      options.file,
      context.problems.toSorted((a, b) => a.line - b.line),
    );
  }
  return { value, shownYaml: hideSecrets(text, context.secrets) };
}

function hideSecrets(text: string, secrets: readonly ScalarNode[]): string {
  const byStart = secrets.toSorted((a, b) => a.range[0] - b.range[0]);
  let shown = '';
  let at = 0;
  for (const { range } of byStart) {
    // The same secret is seen twice when an alias repeats it.
    if (range[0] < at || range[0] === range[1]) continue;
    const lineEnd = text.charAt(range[1] - 1) === '\n' ? '\n' : '';
    shown += `${text.slice(at, range[0])}<secret>${lineEnd}`;
    at = range[1];
  }
  return shown + text.slice(at);
}

/** The entry of a mapping, if written. */
export function mapEntry(map: MapNode, key: string): YamlNode | undefined {
  return map.entries.find((entry) => entry.key.text === key)?.value;
}
