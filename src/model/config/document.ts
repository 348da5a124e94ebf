// YAML text to a small tree of nodes that know their line: the first document of the text, aliases resolved,
// merge keys applied. The `yaml` package parses; what a plain scalar means is decided in scalar_value.ts, by
// the rules of the YAML library that Prometheus reads its files with, not by YAML 1.2.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ConfigProblem } from './errors.ts';

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly line: number;
  readonly column: number;
  readonly text: string;
  /** Written without quotes, so that it may be a number, a boolean or null. */
  readonly plain: boolean;
  /** `!!int`, `!!binary`, ... or empty. */
  readonly tag: string;
  /** Offsets of the value in the text, quotes included. */
  readonly range: readonly [number, number];
}

export interface MapEntry {
  readonly key: ScalarNode;
  readonly value: YamlNode;
}

export interface MapNode {
  readonly kind: 'map';
  readonly line: number;
  readonly column: number;
  readonly entries: readonly MapEntry[];
}

export interface ListNode {
  readonly kind: 'list';
  readonly line: number;
  readonly column: number;
  readonly items: readonly YamlNode[];
}

export type YamlNode = ScalarNode | MapNode | ListNode;

export interface YamlTree {
  /** undefined: the text holds no document. */
  readonly root: YamlNode | undefined;
  readonly problems: readonly ConfigProblem[];
  /** Nodes written in the text; aliases make a decoder see more. */
  readonly nodes: number;
}

/** Deeper nesting is refused; no configuration comes near. */
const depthMax = 200;

/** Entries that merge keys may copy, over all mappings; a text of 1 MB could ask for a hundred million. */
const mergedEntriesMax = 400_000;

const tagPrefix = 'tag:yaml.org,2002:';

/** Parses the first document. Never throws: what is wrong comes back as problems. */
export function parseYaml(text: string): YamlTree {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text.startsWith('\uFEFF') ? text.slice(1) : text, {
    lineCounter,
    schema: 'failsafe',
    version: '1.1',
    merge: false,
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const first = Array.isArray(documents) ? documents[0] : undefined;
  if (first === undefined) return { root: undefined, problems: [], nodes: 0 };
  const builder = new TreeBuilder(lineCounter);
  for (const error of first.errors) builder.problem(error.pos[0], parserMessage(error.message));
  const root = first.errors.length === 0 ? builder.root(first) : undefined;
  return { root, problems: builder.problems, nodes: builder.nodes };
}

/** The parser recurses, and reports nesting beyond its stack in the engine's words, once per level. */
function parserMessage(message: string): string {
  return /call stack|regular expression/.test(message) ? 'nested too deeply to be read' : message;
}

class TreeBuilder {
  readonly problems: ConfigProblem[] = [];
  nodes = 0;
  #mergedEntries = 0;
  readonly #lineCounter: LineCounter;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #open = new Set<string>();

  constructor(lineCounter: LineCounter) {
    this.#lineCounter = lineCounter;
  }

  root(document: Document.Parsed): YamlNode | undefined {
    if (document.contents === null) return undefined;
    return this.#node(document.contents, 0);
  }

  problem(offset: number, message: string): void {
    this.problems.push({ ...this.#place(offset), field: '', message });
  }

  #place(offset: number): { line: number; column: number } {
    const { line, col } = this.#lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #node(source: ParsedNode, depth: number): YamlNode {
    this.nodes++;
    const offset = source.range[0];
    if (depth > depthMax) {
      this.problem(offset, `nested deeper than ${depthMax} levels`);
      return this.#nothing(offset);
    }
    if (isAlias(source)) return this.#alias(source);
    const anchor = source.anchor;
    if (anchor !== undefined) this.#open.add(anchor);
    const node = isMap(source)
      ? this.#map(source as YAMLMap.Parsed, depth)
      : isSeq(source)
        ? this.#list(source as YAMLSeq.Parsed, depth)
        : this.#scalar(source as Scalar.Parsed);
    if (anchor !== undefined) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, node);
    }
    return node;
  }

  #alias(source: Alias.Parsed): YamlNode {
    const target = this.#anchors.get(source.source);
    if (target !== undefined) return target;
    const contained = this.#open.has(source.source);
    this.problem(
      source.range[0],
      contained
        ? `anchor '${source.source}' contains itself`
        : `unknown anchor '${source.source}' referenced`,
    );
    return this.#nothing(source.range[0]);
  }

  #scalar(source: Scalar.Parsed): ScalarNode {
    const [start, end] = source.range;
    const plain = source.type === undefined || source.type === Scalar.PLAIN;
    return {
      kind: 'scalar',
      ...this.#place(start),
      text: String(source.source ?? source.value ?? ''),
      plain,
      tag: shortTag(source.tag),
      range: [start, end],
    };
  }

  #list(source: YAMLSeq.Parsed, depth: number): ListNode {
    const items = source.items.map((item) => this.#node(item as ParsedNode, depth + 1));
    return { kind: 'list', ...this.#place(source.range[0]), items };
  }

  /** A key written here wins over merged ones, an earlier merge over a later one. */
  #map(source: YAMLMap.Parsed, depth: number): MapNode {
    const entries = new Map<string, MapEntry>();
    const merged: MapNode[] = [];
    for (const pair of source.items) {
      const key = this.#node(pair.key as ParsedNode, depth + 1);
      if (key.kind !== 'scalar') {
        this.problem(pair.key.range[0], 'a mapping key must be a scalar');
        continue;
      }
      const value =
        pair.value === null
          ? this.#nothing(pair.key.range[1])
          : this.#node(pair.value as ParsedNode, depth + 1);
      if (key.text === '<<' && (key.plain || key.tag === '!!merge')) {
        this.#collectMerge(value, merged);
        continue;
      }
      const before = entries.get(key.text);
      if (before !== undefined) {
        this.problems.push({
          line: key.line,
          column: key.column,
          field: key.text,
          message: `field ${key.text} is given twice; first on line ${before.key.line}`,
        });
      }
      entries.set(key.text, { key, value });
    }
    for (const map of merged) {
      this.#mergedEntries += map.entries.length;
      if (this.#mergedEntries > mergedEntriesMax) {
        this.problem(source.range[0], 'document contains excessive aliasing');
        break;
      }
      for (const entry of map.entries) if (!entries.has(entry.key.text)) entries.set(entry.key.text, entry);
    }
    return { kind: 'map', ...this.#place(source.range[0]), entries: [...entries.values()] };
  }

  #collectMerge(value: YamlNode, merged: MapNode[]): void {
    const parts = value.kind === 'list' ? value.items : [value];
    for (const part of parts) {
      if (part.kind === 'map') merged.push(part);
      else {
        this.problems.push({
          line: part.line,
          column: part.column,
          field: '<<',
          message: 'map merge requires map or sequence of maps as the value',
        });
      }
    }
  }

  #nothing(offset: number): ScalarNode {
    return {
      kind: 'scalar',
      ...this.#place(offset),
      text: '',
      plain: true,
      tag: '',
      range: [offset, offset],
    };
  }
}

function shortTag(tag: string | undefined): string {
  if (tag === undefined) return '';
  return tag.startsWith(tagPrefix) ? `!!${tag.slice(tagPrefix.length)}` : tag;
}

/** Where the node at the path (keys and indexes) starts, or the deepest one on the way to it that is written. */
export function findPlace(
  text: string,
  path: readonly (string | number)[],
): { readonly line: number; readonly column: number } {
  let node = parseYaml(text).root;
  for (const step of path) {
    const next: YamlNode | undefined =
      typeof step === 'number'
        ? node?.kind === 'list'
          ? node.items[step]
          : undefined
        : node?.kind === 'map'
          ? node.entries.find((entry) => entry.key.text === step)?.value
          : undefined;
    if (next === undefined) break;
    node = next;
  }
  return { line: node?.line ?? 1, column: node?.column ?? 1 };
}
