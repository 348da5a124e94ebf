// Decoders of lists, maps and sections. A section (`object`) knows its fields by their YAML names, refuses
// others by name and line, fills in defaults and then checks what only makes sense together.
import { errorText } from '../../base/index.ts';
import { type Decoder, decodeNode, mapEntry, nodeKind, type Scope } from './decoder.ts';
import type { MapNode, YamlNode } from './document.ts';
import { isNullScalar } from './scalar_value.ts';

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && isNullScalar(node);
}

/** A list. `nullItem` refuses null items with that message; otherwise they are zero values. */
export function list<T>(
  item: Decoder<T>,
  options: { readonly nullItem?: string } = {},
): Decoder<readonly T[]> {
  return {
    zero: [],
    decode(node: YamlNode, scope: Scope): readonly T[] {
      if (node.kind !== 'list') {
        scope.problem(node, `expected a list, got ${nodeKind(node)}`);
        return [];
      }
      return node.items.map((child, index) => {
        const at = scope.child(index);
        if (options.nullItem !== undefined && isNull(child)) at.problem(child, options.nullItem);
        return decodeNode(item, child, at);
      });
    },
  };
}

/** A list that keeps apart "not written or null" (undefined) and "empty". */
export function optionalList<T>(item: Decoder<T>): Decoder<readonly T[] | undefined> {
  return optional(list(item));
}

/** A mapping with free keys. `key` checks each key's text. */
export function map<T>(value: Decoder<T>, key?: Decoder<string>): Decoder<Readonly<Record<string, T>>> {
  return {
    zero: {},
    decode(node: YamlNode, scope: Scope): Readonly<Record<string, T>> {
      if (node.kind !== 'map') {
        scope.problem(node, `expected a mapping, got ${nodeKind(node)}`);
        return {};
      }
      return Object.fromEntries(
        node.entries.map((entry) => {
          const at = scope.child(entry.key.text);
          const name = key === undefined ? entry.key.text : decodeNode(key, entry.key, at);
          return [name, decodeNode(value, entry.value, at)];
        }),
      );
    },
  };
}

/** undefined where null is written. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return { zero: undefined, decode: (node, scope) => decoder.decode(node, scope) };
}

/** Reports a problem of a section, at the line of the named YAML field if that one is written. */
export type Report = (message: string, yamlField?: string) => void;

/** A decoder of some fields of a mapping, so that sections can lie within others without a key of their own. */
export interface InlineDecoder<T> {
  /** Whether the YAML field is one of this decoder's. */
  knows(yamlField: string): boolean;
  decodeFields(map: MapNode, scope: Scope): T;
  /** The value when nothing is written. */
  initial(): T;
}

export interface ObjectDecoder<T> extends Decoder<T>, InlineDecoder<T> {}

export interface FieldSpec<T> {
  readonly yaml: string;
  readonly decoder: Decoder<T>;
  readonly initial: T;
  /** The field came after Prometheus' 3.5 line. */
  readonly newer: boolean;
}

export interface InlineSpec<T> {
  readonly inline: InlineDecoder<T>;
}

/** What a section is made of: its value's keys and how each is read. */
export type Fields<T> = { readonly [K in keyof T]-?: FieldSpec<T[K]> | InlineSpec<T[K]> };

/** A field by its YAML name; absent, it is `initial`. */
export function field<T>(yaml: string, decoder: Decoder<T>, ...initial: Initial<T>): FieldSpec<T> {
  return { yaml, decoder, initial: initialOf(decoder, initial), newer: false };
}

/** The default, if one is given: undefined may be one, so it is not a default parameter. */
type Initial<T> = readonly [] | readonly [initial: T];

function initialOf<T>(decoder: Decoder<T>, initial: Initial<T>): T {
  return initial.length === 0 ? decoder.zero : initial[0];
}

/** A field that Prometheus 3.5 does not have. */
export function newerField<T>(yaml: string, decoder: Decoder<T>, ...initial: Initial<T>): FieldSpec<T> {
  return { yaml, decoder, initial: initialOf(decoder, initial), newer: true };
}

/** Fields of another section that stand among this one's. */
export function inline<T>(decoder: InlineDecoder<T>): InlineSpec<T> {
  return { inline: decoder };
}

function isInline<T>(spec: FieldSpec<T> | InlineSpec<T>): spec is InlineSpec<T> {
  return 'inline' in spec;
}

/** A section whose value has exactly the given fields. */
export function object<T extends object>(
  fields: Fields<T>,
  check?: (value: T, report: Report) => void,
): ObjectDecoder<T> {
  return section(fields, (raw, report) => {
    check?.(raw, report);
    return raw;
  });
}

/**
 * A section that is read as `Raw` and then checked and turned into `T`. `finish` sees defaults filled in; it
 * runs without effect on messages when a field was bad, so it must not throw for zero values.
 */
export function section<Raw extends object, T>(
  fields: Fields<Raw>,
  finish: (raw: Raw, report: Report, scope: Scope | undefined) => T,
): ObjectDecoder<T> {
  return new SectionDecoder(fields, finish);
}

const silent: Report = () => {};

class SectionDecoder<Raw extends object, T> implements ObjectDecoder<T> {
  readonly #specs: readonly (readonly [string, FieldSpec<unknown> | InlineSpec<unknown>])[];
  readonly #byYaml: ReadonlyMap<string, FieldSpec<unknown>>;
  readonly #inlined: readonly InlineDecoder<unknown>[];
  readonly #finish: (raw: Raw, report: Report, scope: Scope | undefined) => T;

  constructor(fields: Fields<Raw>, finish: (raw: Raw, report: Report, scope: Scope | undefined) => T) {
    this.#specs = Object.entries(fields) as [string, FieldSpec<unknown> | InlineSpec<unknown>][];
    this.#byYaml = new Map(
      this.#specs.flatMap(([, spec]) => (isInline(spec) ? [] : [[spec.yaml, spec] as const])),
    );
    this.#inlined = this.#specs.flatMap(([, spec]) => (isInline(spec) ? [spec.inline] : []));
    this.#finish = finish;
  }

  get zero(): T {
    return this.#finish(
      this.#collect((spec) => (isInline(spec) ? spec.inline.initial() : spec.decoder.zero)),
      silent,
      undefined,
    );
  }

  initial(): T {
    return this.#finish(
      this.#collect((spec) => (isInline(spec) ? spec.inline.initial() : spec.initial)),
      silent,
      undefined,
    );
  }

  knows(yamlField: string): boolean {
    return this.#byYaml.has(yamlField) || this.#inlined.some((decoder) => decoder.knows(yamlField));
  }

  decode(node: YamlNode, scope: Scope): T {
    if (node.kind !== 'map') {
      scope.problem(node, `expected a mapping, got ${nodeKind(node)}`);
      return this.zero;
    }
    const newerAllowed = scope.context.compatibility === 'latest';
    for (const { key } of node.entries) {
      const at = scope.child(key.text);
      if (!this.knows(key.text)) at.problem(key, `unknown field ${JSON.stringify(key.text)}`);
      else if (!newerAllowed && this.#byYaml.get(key.text)?.newer === true) {
        at.problem(key, `unknown field ${JSON.stringify(key.text)} (known to Prometheus after 3.5)`);
      }
    }
    return this.decodeFields(node, scope);
  }

  decodeFields(map: MapNode, scope: Scope): T {
    const problemsBefore = scope.context.problems.length;
    const raw = this.#collect((spec) => {
      if (isInline(spec)) return spec.inline.decodeFields(map, scope);
      const node = mapEntry(map, spec.yaml);
      return node === undefined ? spec.initial : decodeNode(spec.decoder, node, scope.child(spec.yaml));
    });
    const sound = scope.context.problems.length === problemsBefore;
    return this.#finish(raw, sound ? reporter(map, scope) : silent, scope);
  }

  #collect(read: (spec: FieldSpec<unknown> | InlineSpec<unknown>) => unknown): Raw {
    // The specs were made from Raw's own keys, which the compiler cannot see through Object.entries.
    return Object.fromEntries(this.#specs.map(([key, spec]) => [key, read(spec)])) as Raw;
  }
}

function reporter(map: MapNode, scope: Scope): Report {
  return (message, yamlField) => {
    const node = yamlField === undefined ? undefined : mapEntry(map, yamlField);
    const at = yamlField === undefined ? scope : scope.child(yamlField);
    at.problem(node ?? map, message);
  };
}

/** A decoder with a check of its value. */
export function checked<T>(decoder: Decoder<T>, check: (value: T) => string | undefined): Decoder<T> {
  return {
    zero: decoder.zero,
    decode(node: YamlNode, scope: Scope): T {
      const before = scope.context.problems.length;
      const value = decoder.decode(node, scope);
      if (scope.context.problems.length === before) {
        const message = check(value);
        if (message !== undefined) scope.problem(node, message);
      }
      return value;
    },
  };
}

/** A decoder of something made from what another decoder reads; `make` may throw an Error. */
export function mapped<T, U>(decoder: Decoder<T>, make: (value: T) => U): Decoder<U> {
  return {
    get zero(): U {
      return make(decoder.zero);
    },
    decode(node: YamlNode, scope: Scope): U {
      try {
        return make(decoder.decode(node, scope));
      } catch (error) {
        scope.problem(node, errorText(error));
        return make(decoder.zero);
      }
    },
  };
}
