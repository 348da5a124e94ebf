/**
 * Printing of values as Go's package fmt does: the default form (%v) that actions write, and Printf's verbs.
 * Everything goes through a bounded text, since nested values can print exponentially large.
 */
import { quoteGo } from '../model/index.ts';
import { TemplateValueError } from './errors.ts';
import { formatExponential, formatFixed, formatGeneral, precisionMax } from './go_float.ts';
import { TemplateDuration, TemplateTime } from './time.ts';
import {
  type CallContext,
  TemplateList,
  type TemplateMap,
  TemplateStruct,
  type TemplateValue,
  typeName,
} from './value.ts';

/** Deepest value that is printed. */
const printDepthMax = 50;
/** Widest padding that Printf honours, as in Go. */
const widthMax = 10_000;

/** A text that refuses to grow beyond a length. */
export class BoundedText {
  readonly #parts: string[] = [];
  readonly #lengthMax: number;
  #length = 0;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  add(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#lengthMax) {
      throw new TemplateValueError(`output exceeds ${this.#lengthMax} characters`);
    }
    this.#parts.push(text);
  }

  toString(): string {
    return this.#parts.join('');
  }
}

function addScalar(out: BoundedText, value: Exclude<TemplateValue, object>): void {
  if (typeof value === 'number') out.add(formatGeneral(value, -1));
  else out.add(String(value));
}

function addValue(out: BoundedText, value: TemplateValue, depth: number): void {
  if (depth > printDepthMax)
    throw new TemplateValueError(`value is nested deeper than ${printDepthMax} levels`);
  if (value === null) out.add('<nil>');
  else if (typeof value !== 'object') addScalar(out, value);
  else if (value instanceof TemplateTime || value instanceof TemplateDuration) out.add(value.toString());
  else addCollection(out, value, depth);
}

function addCollection(
  out: BoundedText,
  value: TemplateList | TemplateMap | TemplateStruct,
  depth: number,
): void {
  const { String: print } = value.methods;
  const own = print?.call([], unlimitedCall);
  if (typeof own === 'string') {
    out.add(own);
    return;
  }
  if (value instanceof TemplateList) addSequence(out, value.items, '[', ']', depth);
  else if (value instanceof TemplateStruct) addSequence(out, value.fields.values(), '{', '}', depth);
  else {
    out.add('map[');
    for (const [i, key] of value.sortedKeys().entries()) {
      out.add(`${i > 0 ? ' ' : ''}${key}:`);
      addValue(out, value.get(key), depth + 1);
    }
    out.add(']');
  }
}

/** String methods are ours and cheap; they need no budget. */
const unlimitedCall: CallContext = { charge: () => undefined, textLengthMax: 1 << 20, signal: undefined };

function addSequence(
  out: BoundedText,
  items: Iterable<TemplateValue>,
  open: string,
  close: string,
  depth: number,
): void {
  out.add(open);
  let first = true;
  for (const item of items) {
    if (!first) out.add(' ');
    first = false;
    addValue(out, item, depth + 1);
  }
  out.add(close);
}

/** `%v`. */
export function formatValue(value: TemplateValue, lengthMax: number): string {
  if (typeof value === 'string') return value;
  const out = new BoundedText(lengthMax);
  addValue(out, value, 0);
  return out.toString();
}

/** What an action writes: like %v, but an absent value reads `<no value>`. */
export function formatOutput(value: TemplateValue, lengthMax: number): string {
  return value === null ? '<no value>' : formatValue(value, lengthMax);
}

/** fmt.Sprint: blanks between operands when neither is a string. */
export function sprint(args: readonly TemplateValue[], lengthMax: number): string {
  const out = new BoundedText(lengthMax);
  for (const [i, arg] of args.entries()) {
    if (i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string') out.add(' ');
    out.add(formatValue(arg, lengthMax));
  }
  return out.toString();
}

/** fmt.Sprintln. */
export function sprintln(args: readonly TemplateValue[], lengthMax: number): string {
  const out = new BoundedText(lengthMax);
  for (const [i, arg] of args.entries()) out.add((i > 0 ? ' ' : '') + formatValue(arg, lengthMax));
  out.add('\n');
  return out.toString();
}

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

function formatInteger(value: bigint, spec: Verb): string | undefined {
  const magnitude = value < 0n ? -value : value;
  const alternate = spec.flags.includes('#');
  const bases: Readonly<Record<string, readonly [number, string]>> = {
    d: [10, ''],
    v: [10, ''],
    x: [16, '0x'],
    X: [16, '0X'],
    o: [8, '0'],
    O: [8, '0o'],
    b: [2, '0b'],
  };
  const base = bases[spec.verb];
  if (base !== undefined) {
    let digits = magnitude.toString(base[0]);
    if (spec.verb === 'X') digits = digits.toUpperCase();
    if (spec.precision !== undefined) digits = digits.padStart(spec.precision, '0');
    const prefix = alternate || spec.verb === 'O' ? base[1] : '';
    return signed(value < 0n, prefix + digits, spec.flags);
  }
  const validRune = value >= 0n && value <= 0x10ffffn;
  if (spec.verb === 'c') return validRune ? String.fromCodePoint(Number(value)) : '\ufffd';
  if (spec.verb === 'q') return validRune ? `'${String.fromCodePoint(Number(value))}'` : "'\ufffd'";
  if (spec.verb === 'U') return `U+${magnitude.toString(16).toUpperCase().padStart(4, '0')}`;
  return undefined;
}

function signed(negative: boolean, text: string, flags: string): string {
  if (negative) return `-${text}`;
  if (flags.includes('+')) return `+${text}`;
  return flags.includes(' ') ? ` ${text}` : text;
}

function formatFloatVerb(value: number, spec: Verb): string | undefined {
  const negative = value < 0 || Object.is(value, -0);
  const magnitude = Math.abs(value);
  const precision = Math.min(spec.precision ?? 6, precisionMax - 1);
  let text: string;
  switch (spec.verb) {
    case 'v':
    case 'g':
    case 'G':
      text = formatGeneral(magnitude, spec.precision === undefined ? -1 : precision, spec.verb === 'G');
      break;
    case 'e':
    case 'E':
      text = formatExponential(magnitude, precision, spec.verb === 'E');
      break;
    case 'f':
    case 'F':
      text = formatFixed(magnitude, precision);
      break;
    default:
      return undefined;
  }
  if (text === '+Inf') return negative ? '-Inf' : '+Inf';
  return signed(negative, text, spec.flags);
}

function formatText(value: string, spec: Verb): string | undefined {
  const limited = spec.precision === undefined ? value : [...value].slice(0, spec.precision).join('');
  switch (spec.verb) {
    case 'v':
      return spec.flags.includes('#') ? quoteGo(value) : limited;
    case 's':
      return limited;
    case 'q':
      return quoteGo(limited);
    case 'x':
    case 'X': {
      const hex = Buffer.from(limited, 'utf8').toString('hex');
      return spec.verb === 'X' ? hex.toUpperCase() : hex;
    }
    default:
      return undefined;
  }
}

function formatArgument(value: TemplateValue, spec: Verb, lengthMax: number): string {
  if (spec.verb === 'T') return typeName(value);
  let text: string | undefined;
  if (typeof value === 'string') text = formatText(value, spec);
  else if (typeof value === 'number') text = formatFloatVerb(value, spec);
  else if (typeof value === 'bigint') text = formatInteger(value, spec);
  else if (typeof value === 'boolean') text = 'tv'.includes(spec.verb) ? String(value) : undefined;
  else if (value !== null && 'sqv'.includes(spec.verb))
    text = formatText(formatValue(value, lengthMax), spec);
  else if (value === null && spec.verb === 'v') text = '<nil>';
  if (text !== undefined) return text;
  return value === null
    ? `%!${spec.verb}(<nil>)`
    : `%!${spec.verb}(${typeName(value)}=${formatValue(value, lengthMax)})`;
}

function pad(text: string, spec: Verb, numeric: boolean): string {
  const missing = (spec.width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (spec.flags.includes('-')) return text + ' '.repeat(missing);
  if (!spec.flags.includes('0') || !numeric || /Inf|NaN/.test(text)) return ' '.repeat(missing) + text;
  const sign = /^[+\- ]/.test(text) ? text.charAt(0) : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

/** Flags, width, precision, index of the operand, verb. */
const verbPattern = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(?:\[(\d+)\])?(?:(.)|$)/gsu;

/** fmt.Sprintf, with Go's notes for wrong, missing and extra operands. */
export function sprintf(format: string, args: readonly TemplateValue[], lengthMax: number): string {
  const out = new BoundedText(lengthMax);
  let used = 0;
  let reordered = false;
  const bound = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    if (text !== '*') return Math.min(Number(text), widthMax);
    const value = args[used++];
    return typeof value === 'bigint' ? Math.min(Number(value), widthMax) : undefined;
  };
  let at = 0;
  for (const match of format.matchAll(verbPattern)) {
    out.add(format.slice(at, match.index));
    at = match.index + match[0].length;
    const verb = match[5];
    if (verb === undefined) out.add('%!(NOVERB)');
    else if (verb === '%') out.add('%');
    else {
      const spec: Verb = { flags: match[1] ?? '', width: bound(match[2]), precision: bound(match[3]), verb };
      if (match[4] !== undefined) {
        used = Number(match[4]) - 1;
        reordered = true;
      }
      const value = args[used];
      if (value === undefined) out.add(`%!${verb}(${match[4] === undefined ? 'MISSING' : 'BADINDEX'})`);
      else out.add(pad(formatArgument(value, spec, lengthMax), spec, typeof value !== 'string'));
      used++;
    }
  }
  out.add(format.slice(at));
  if (!reordered && used < args.length) {
    const extra = args.slice(used).map((arg) => `${typeName(arg)}=${formatValue(arg, lengthMax)}`);
    out.add(`%!(EXTRA ${extra.join(', ')})`);
  }
  return out.toString();
}
