/**
 * The values that templates compute with. Go's kinds that templates can tell apart map to JavaScript as:
 * int → bigint, float64 → number, string, bool, nil → null; collections and times are the classes below.
 * The distinction of int and float matters: `eq $value 1` is an error in Go, and `%d` refuses a float.
 */
import { compareBytes } from '../model/index.ts';
import { TemplateValueError } from './errors.ts';
import type { TemplateDuration, TemplateTime } from './time.ts';

export type TemplateValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | TemplateList
  | TemplateMap
  | TemplateStruct
  | TemplateTime
  | TemplateDuration;

/** Work accounting and surroundings handed to every function. */
export interface CallContext {
  /** Counts work; throws TemplateValueError when the template's budget is spent. */
  charge(units: number): void;
  /** A bound for texts made by functions, in UTF-16 units. */
  readonly textLengthMax: number;
  readonly signal: AbortSignal | undefined;
}

export interface TemplateFunction {
  readonly argsMin: number;
  readonly argsMax: number;
  call(args: readonly TemplateValue[], context: CallContext): TemplateValue | Promise<TemplateValue>;
}

export type Methods = Readonly<Record<string, TemplateFunction>>;

const noMethods: Methods = {};

export class TemplateList {
  readonly items: readonly TemplateValue[];
  readonly methods: Methods;
  /** How Go names the type, for messages. */
  readonly typeName: string;

  constructor(items: readonly TemplateValue[], options: { methods?: Methods; typeName?: string } = {}) {
    this.items = items;
    this.methods = options.methods ?? noMethods;
    this.typeName = options.typeName ?? '[]interface {}';
  }
}

/** A map with string keys; ranges and prints in key order. */
export class TemplateMap {
  readonly entries: ReadonlyMap<string, TemplateValue>;
  /** The value of an absent key: '' for maps of strings, null otherwise. */
  readonly missing: TemplateValue;
  readonly methods: Methods;
  readonly typeName: string;

  constructor(
    entries: ReadonlyMap<string, TemplateValue>,
    options: { missing?: TemplateValue; methods?: Methods; typeName?: string } = {},
  ) {
    this.entries = entries;
    this.missing = options.missing ?? null;
    this.methods = options.methods ?? noMethods;
    this.typeName = options.typeName ?? 'map[string]interface {}';
  }

  get(key: string): TemplateValue {
    const value = this.entries.get(key);
    return value === undefined ? this.missing : value;
  }

  sortedKeys(): string[] {
    return [...this.entries.keys()].sort(compareBytes);
  }

  /** A map[string]string. */
  static ofStrings(record: Iterable<readonly [string, string]>): TemplateMap {
    return new TemplateMap(new Map<string, TemplateValue>(record), {
      missing: '',
      typeName: 'map[string]string',
    });
  }
}

/** Fixed fields; a name that is not among them is an error. Fields print and encode in the given order. */
export class TemplateStruct {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, TemplateValue>;
  /** JSON names where they differ from the fields' names. */
  readonly jsonNames: Readonly<Record<string, string>>;
  readonly methods: Methods;

  constructor(
    typeName: string,
    fields: Readonly<Record<string, TemplateValue>>,
    options: { jsonNames?: Readonly<Record<string, string>>; methods?: Methods } = {},
  ) {
    this.typeName = typeName;
    this.fields = new Map(Object.entries(fields));
    this.jsonNames = options.jsonNames ?? {};
    this.methods = options.methods ?? noMethods;
  }
}

/** Go's name of a value's type, for messages and `%T`. */
export function typeName(value: TemplateValue): string {
  if (value === null) return '<nil>';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    case 'string':
      return 'string';
    default:
      return value.typeName;
  }
}

/** Empty values are false: false, 0, nil, "", and collections of length 0. */
export function isTrue(value: TemplateValue): boolean {
  if (value === null) return false;
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'bigint':
      return value !== 0n;
    case 'number':
      return value !== 0;
    case 'string':
      return value !== '';
    default:
      if (value instanceof TemplateList) return value.items.length > 0;
      if (value instanceof TemplateMap) return value.entries.size > 0;
      return true;
  }
}

/** A function with a fixed or bounded number of arguments. */
export function templateFunction(
  argsMin: number,
  argsMax: number,
  call: TemplateFunction['call'],
): TemplateFunction {
  return { argsMin, argsMax, call };
}

export function stringArg(args: readonly TemplateValue[], index: number): string {
  const value = args[index] ?? null;
  if (typeof value !== 'string') {
    throw new TemplateValueError(`wrong type for value; expected string; got ${typeName(value)}`);
  }
  return value;
}

export function listArg(args: readonly TemplateValue[], index: number): TemplateList {
  const value = args[index] ?? null;
  if (!(value instanceof TemplateList)) {
    throw new TemplateValueError(`wrong type for value; expected a list; got ${typeName(value)}`);
  }
  return value;
}
