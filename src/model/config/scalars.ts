// Decoders of single values. Each states what it accepts; all of them follow what Prometheus' YAML library
// does with a scalar of another kind (a number where text is wanted is taken as written, and so on).
import { errorText } from '../../base/index.ts';
import { parseDuration } from '../durations.ts';
import { isValidLabelName } from '../names.ts';
import { quoteGo } from '../quote.ts';
import { AnchoredRegex } from '../regex/anchored_regex.ts';
import type { Decoder, Scope } from './decoder.ts';
import { nodeKind } from './decoder.ts';
import type { ScalarNode, YamlNode } from './document.ts';
import { parseGoUrl } from './go_url.ts';
import { parseByteSize, parseGoDuration } from './quantities.ts';
import { scalarValue } from './scalar_value.ts';

/** Text of a scalar, or undefined after a problem was recorded. */
function textOf(node: YamlNode, scope: Scope): string | undefined {
  if (node.kind !== 'scalar') {
    scope.problem(node, `expected text, got ${nodeKind(node)}`);
    return undefined;
  }
  const value = scalarValue(node);
  if (value.type === 'bad') {
    scope.problem(node, value.reason);
    return undefined;
  }
  return value.type === 'string' ? value.value : node.text;
}

/** A decoder over text: `parse` returns the value or throws an Error whose message says what is wrong. */
export function fromText<T>(zero: T, parse: (text: string, scope: Scope) => T): Decoder<T> {
  return {
    zero,
    decode(node: YamlNode, scope: Scope): T {
      const text = textOf(node, scope);
      if (text === undefined) return zero;
      try {
        return parse(text, scope);
      } catch (error) {
        scope.problem(node, errorText(error));
        return zero;
      }
    },
  };
}

/** Any scalar, as written. */
export const string: Decoder<string> = fromText('', (text) => text);

/** Text that must not be shown to users. */
export const secret: Decoder<string> = {
  zero: '',
  decode(node: YamlNode, scope: Scope): string {
    if (node.kind === 'scalar') scope.context.secrets.push(node);
    return string.decode(node, scope);
  },
};

/** Hides whatever text `decoder` reads. */
export function hidden<T>(decoder: Decoder<T>): Decoder<T> {
  return {
    zero: decoder.zero,
    decode(node: YamlNode, scope: Scope): T {
      if (node.kind === 'scalar') scope.context.secrets.push(node);
      return decoder.decode(node, scope);
    },
  };
}

export const bool: Decoder<boolean> = {
  zero: false,
  decode(node: YamlNode, scope: Scope): boolean {
    const value = node.kind === 'scalar' ? scalarValue(node) : undefined;
    if (value?.type === 'bool') return value.value;
    scope.problem(node, `expected true or false, got ${nodeKind(node)}`);
    return false;
  },
};

function numeric(node: YamlNode, scope: Scope, wanted: string): number | undefined {
  const value = node.kind === 'scalar' ? scalarValue(node) : undefined;
  if (value?.type === 'int' || value?.type === 'float') return value.value;
  scope.problem(node, `expected ${wanted}, got ${nodeKind(node)}`);
  return undefined;
}

/** An integer from `min` to `max`; a fraction is cut off as Prometheus does. */
function integer(min: number, max: number): Decoder<number> {
  const wanted = min === 0 ? 'a whole number that is not negative' : 'a whole number';
  return {
    zero: 0,
    decode(node: YamlNode, scope: Scope): number {
      const value = numeric(node, scope, wanted);
      if (value === undefined) return 0;
      const whole = Math.trunc(value);
      if (Number.isNaN(whole) || value < min || value > max) {
        scope.problem(node, `expected ${wanted}, got ${nodeKind(node)}`);
        return 0;
      }
      return whole;
    },
  };
}

const int64Max = 2 ** 63;
/** A signed 64-bit integer; beyond 2^53 the nearest double. */
export const int: Decoder<number> = integer(-int64Max, int64Max);
/** An unsigned 64-bit integer; beyond 2^53 the nearest double. */
export const uint: Decoder<number> = integer(0, 2 ** 64);

export const float: Decoder<number> = {
  zero: 0,
  decode: (node, scope) => numeric(node, scope, 'a number') ?? 0,
};

/** Prometheus' durations (`1h30m`), in milliseconds. */
export const duration: Decoder<number> = fromText(0, (text) => parseDuration(text));

/** Go's durations (`1.5s`, `100us`; a bare number counts nanoseconds), in milliseconds. */
export const goDuration: Decoder<number> = {
  zero: 0,
  decode(node: YamlNode, scope: Scope): number {
    const value = node.kind === 'scalar' ? scalarValue(node) : undefined;
    if (value?.type === 'int' || value?.type === 'float') return value.value / 1e6;
    return goDurationText.decode(node, scope);
  },
};

/** Go's durations as text only: a bare number other than 0 lacks its unit. */
export const goDurationText: Decoder<number> = fromText(0, parseGoDuration);

/** `10MB`, `1GiB`, in bytes; units are powers of 1024. */
export const byteSize: Decoder<number> = fromText(0, parseByteSize);

/** One of the values. `message` says what is wrong with another one. */
export function oneOf<T extends string>(
  values: readonly T[],
  message: (text: string) => string = (text) => `${quoteGo(text)} is not one of ${values.join(', ')}`,
): Decoder<T | undefined> {
  return fromText<T | undefined>(undefined, (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(message(text));
    return found;
  });
}

/** Text that parses as a URL the way Go's does: nearly everything does, a scheme is not required. */
export const url: Decoder<string> = fromText('', (text) => {
  parseGoUrl(text);
  return text;
});

/** A path; relative ones start at the configuration file's directory. */
export const filePath: Decoder<string> = fromText('', (text, scope) =>
  joinDirectory(scope.context.directory, text),
);

/** Joins a relative, non-empty path to the directory and cleans it. */
export function joinDirectory(directory: string | undefined, path: string): string {
  if (directory === undefined || path === '' || path.startsWith('/')) return path;
  return cleanPath(directory === '' ? path : `${directory}/${path}`);
}

function cleanPath(path: string): string {
  const absolute = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!absolute) parts.push(part);
  }
  const joined = `${absolute ? '/' : ''}${parts.join('/')}`;
  return joined === '' ? '.' : joined;
}

/** An RE2 pattern that compiles when fully anchored. */
export const regexPattern: Decoder<string> = fromText('', (text) => {
  AnchoredRegex.compile(text);
  return text;
});

/** A label name: any text that is not empty. */
export const labelName: Decoder<string> = fromText('', (text) => {
  if (!isValidLabelName(text)) throw new Error(`${quoteGo(text)} is not a valid label name`);
  return text;
});

/** Anything at all, as plain values: for parts of a file whose shape is the user's own. */
export const anyValue: Decoder<unknown> = {
  zero: undefined,
  decode(node: YamlNode, scope: Scope): unknown {
    if (!scope.context.visit()) {
      scope.problem(node, 'document contains excessive aliasing');
      return undefined;
    }
    if (node.kind === 'list') return node.items.map((item) => anyValue.decode(item, scope));
    if (node.kind === 'map') {
      return Object.fromEntries(
        node.entries.map(({ key, value }) => [key.text, anyValue.decode(value, scope)]),
      );
    }
    return anyScalar(node, scope);
  },
};

function anyScalar(node: ScalarNode, scope: Scope): unknown {
  const value = scalarValue(node);
  if (value.type === 'null') return null;
  if (value.type !== 'bad') return value.value;
  scope.problem(node, value.reason);
  return null;
}
