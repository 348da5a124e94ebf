// What a scalar means, by the rules of gopkg.in/yaml that Prometheus and Alertmanager read their files with:
// YAML 1.1 booleans (yes, on, y), octal and hexadecimal integers, underscores in numbers, `.inf`. A quoted
// scalar is always text.
import type { ScalarNode } from './document.ts';

export type ScalarValue =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bad'; readonly reason: string };

const nulls = new Set(['', '~', 'null', 'Null', 'NULL']);
const trues = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const falses = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']);
const decimalInteger = /^[-+]?(0|[1-9][0-9]*)$/;
const radixInteger = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+)$/;
const decimalFloat = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const infinity = /^([-+]?)\.(inf|Inf|INF)$/;
const notANumber = /^\.(nan|NaN|NAN)$/;

/** Whether the node is a null, which leaves a field at its zero value. */
export function isNullScalar(node: ScalarNode): boolean {
  return nulls.has(node.text) && ((node.plain && node.tag === '') || node.tag === '!!null');
}

/** The meaning of the scalar, its explicit tag considered. */
export function scalarValue(node: ScalarNode): ScalarValue {
  switch (node.tag) {
    case '!!binary':
      return binaryValue(node.text);
    case '!!str':
    case '!':
      return { type: 'string', value: node.text };
    case '':
      return node.plain ? plainValue(node.text) : { type: 'string', value: node.text };
    case '!!int':
    case '!!float':
    case '!!bool':
    case '!!null':
      return taggedValue(node);
    default:
      return { type: 'string', value: node.text };
  }
}

function taggedValue(node: ScalarNode): ScalarValue {
  const value = plainValue(node.text);
  const expected = node.tag.slice(2);
  if (value.type === expected) return value;
  if (expected === 'float' && value.type === 'int') return { type: 'float', value: value.value };
  return { type: 'bad', reason: `cannot decode \`${node.text}\` as a ${node.tag}` };
}

function plainValue(text: string): ScalarValue {
  if (nulls.has(text)) return { type: 'null' };
  if (trues.has(text)) return { type: 'bool', value: true };
  if (falses.has(text)) return { type: 'bool', value: false };
  const first = text.charAt(0);
  if (!/[-+.0-9]/.test(first)) return { type: 'string', value: text };
  return numberValue(text) ?? { type: 'string', value: text };
}

function numberValue(text: string): ScalarValue | undefined {
  const digits = text.replaceAll('_', '');
  if (decimalInteger.test(digits)) return { type: 'int', value: Number(digits) };
  const radix = radixInteger.exec(digits);
  if (radix !== null) return { type: 'int', value: radixValue(radix[1] ?? '', radix[2] ?? '') };
  if (decimalFloat.test(digits)) return { type: 'float', value: Number(digits) };
  const infinite = infinity.exec(text);
  if (infinite !== null) {
    return {
      type: 'float',
      value: infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
    };
  }
  return notANumber.test(text) ? { type: 'float', value: Number.NaN } : undefined;
}

function radixValue(sign: string, digits: string): number {
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = Number(octal);
  return sign === '-' ? -value : value;
}

/** Base64 of text; bytes that are no UTF-8 become lone surrogates, so that the text is not well-formed. */
function binaryValue(base64: string): ScalarValue {
  const compact = base64.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    return { type: 'bad', reason: '!!binary value contains invalid base64 data' };
  }
  const bytes = Uint8Array.from(atob(compact), (char) => char.charCodeAt(0));
  try {
    return {
      type: 'string',
      value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    };
  } catch {
    // Not text. Keep something that every later check for well-formed text refuses.
    const value = Array.from(bytes, (byte) =>
      byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + byte),
    ).join('');
    return { type: 'string', value };
  }
}
