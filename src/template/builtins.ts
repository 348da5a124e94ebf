/** The functions that every Go template has. `and` and `or` are also known to the evaluator, which short-circuits. */
import { comparisons } from './compare.ts';
import { TemplateValueError } from './errors.ts';
import { formatValue, sprint, sprintf, sprintln } from './format.ts';
import {
  isTrue,
  stringArg,
  type TemplateFunction,
  TemplateList,
  TemplateMap,
  type TemplateValue,
  templateFunction,
  typeName,
} from './value.ts';

const many = Number.POSITIVE_INFINITY;

function position(value: TemplateValue, lengthMax: number): number {
  if (typeof value !== 'bigint')
    throw new TemplateValueError(`cannot index slice/array with type ${typeName(value)}`);
  if (value < 0n || value > BigInt(lengthMax)) throw new TemplateValueError(`index out of range: ${value}`);
  return Number(value);
}

function indexOnce(value: TemplateValue, key: TemplateValue): TemplateValue {
  if (value instanceof TemplateMap) {
    if (typeof key !== 'string')
      throw new TemplateValueError(`value has type ${typeName(key)}; should be string`);
    return value.get(key);
  }
  if (value instanceof TemplateList) return value.items[position(key, value.items.length - 1)] ?? null;
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8');
    return BigInt(bytes[position(key, bytes.length - 1)] ?? 0);
  }
  if (value === null) throw new TemplateValueError('index of untyped nil');
  throw new TemplateValueError(`can't index item of type ${typeName(value)}`);
}

function lengthOf(value: TemplateValue): bigint {
  if (value instanceof TemplateMap) return BigInt(value.entries.size);
  if (value instanceof TemplateList) return BigInt(value.items.length);
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value, 'utf8'));
  throw new TemplateValueError(`len of type ${typeName(value)}`);
}

function slice(args: readonly TemplateValue[]): TemplateValue {
  const value = args[0] ?? null;
  const length = Number(lengthOf(value));
  const from = args.length > 1 ? position(args[1] ?? null, length) : 0;
  const to = args.length > 2 ? position(args[2] ?? null, length) : length;
  if (from > to) throw new TemplateValueError(`invalid slice index: ${from} > ${to}`);
  if (typeof value === 'string') return Buffer.from(value, 'utf8').subarray(from, to).toString('utf8');
  if (value instanceof TemplateList) {
    return new TemplateList(value.items.slice(from, to), {
      methods: value.methods,
      typeName: value.typeName,
    });
  }
  throw new TemplateValueError(`can't slice item of type ${typeName(value)}`);
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};

function escapeHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char);
}

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=]|[^\x20-\x7e]/gu, (char) => {
    if (char === '\\' || char === "'" || char === '"') return `\\${char}`;
    const code = char.codePointAt(0) ?? 0;
    if (code > 0x7e && !/\p{C}/u.test(char)) return char;
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** url.QueryEscape. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function textFunction(transform: (text: string) => string): TemplateFunction {
  return templateFunction(1, many, (args, context) => {
    const text = sprint(args, context.textLengthMax);
    context.charge(1 + text.length / 64);
    return transform(text);
  });
}

export const builtinFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...comparisons,
  and: templateFunction(1, many, (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1) ?? null),
  or: templateFunction(1, many, (args) => args.find((arg) => isTrue(arg)) ?? args.at(-1) ?? null),
  not: templateFunction(1, 1, (args) => !isTrue(args[0] ?? null)),
  len: templateFunction(1, 1, (args) => lengthOf(args[0] ?? null)),
  index: templateFunction(1, many, (args) => args.slice(1).reduce(indexOnce, args[0] ?? null)),
  slice: templateFunction(1, 3, slice),
  print: textFunction((text) => text),
  println: templateFunction(0, many, (args, context) => sprintln(args, context.textLengthMax)),
  printf: templateFunction(1, many, (args, context) =>
    sprintf(stringArg(args, 0), args.slice(1), context.textLengthMax),
  ),
  html: textFunction(escapeHtml),
  js: textFunction(escapeJs),
  urlquery: textFunction(escapeQuery),
  call: templateFunction(1, many, (args, context) => {
    throw new TemplateValueError(
      `call of non-function ${formatValue(args[0] ?? null, context.textLengthMax)}`,
    );
  }),
};
