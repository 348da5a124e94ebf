/**
 * Which metric and label names are valid, and how a name is carried to a reader that knows only classic names:
 * the escaping schemes of Prometheus' content negotiation (docs/concepts/data_model and the UTF-8 proposal).
 * Only 'values' (the U__ form) can be undone without loss.
 */
export type NameScheme = 'utf8' | 'legacy';
export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';
export const escapingSchemes: readonly EscapingScheme[] = ['allow-utf-8', 'underscores', 'dots', 'values'];

const legacyMetricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const legacyLabelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether the name may be a metric's: in 'utf8' any text that is not empty, in 'legacy' the classic form. */
export function isValidMetricName(name: string, scheme: NameScheme = 'utf8'): boolean {
  return scheme === 'legacy' ? legacyMetricName.test(name) : name !== '' && name.isWellFormed();
}

/** Whether the name may be a label's; the classic form has no colons. */
export function isValidLabelName(name: string, scheme: NameScheme = 'utf8'): boolean {
  return scheme === 'legacy' ? legacyLabelName.test(name) : name !== '' && name.isWellFormed();
}

/** Whether the character may stand at this place of a classic metric name. */
function isLegacyChar(char: string, first: boolean): boolean {
  return first ? /^[a-zA-Z_:]$/.test(char) : /^[a-zA-Z0-9_:]$/.test(char);
}

/** Rewrites the name so that it is classic, by the scheme given. Empty stays empty. */
export function escapeName(name: string, scheme: EscapingScheme): string {
  if (name === '' || scheme === 'allow-utf-8') return name;
  // Dots differ from the others: they rewrite the underscores of classic names too.
  if (scheme !== 'dots' && legacyMetricName.test(name)) return name;
  let escaped = scheme === 'values' ? 'U__' : '';
  let first = true;
  for (const char of name.toWellFormed()) {
    escaped += escapeChar(char, first, scheme);
    first = false;
  }
  return escaped;
}

function escapeChar(char: string, first: boolean, scheme: Exclude<EscapingScheme, 'allow-utf-8'>): string {
  if (scheme === 'underscores') return isLegacyChar(char, first) ? char : '_';
  if (char === '_') return '__';
  if (scheme === 'dots' && char === '.') return '_dot_';
  if (isLegacyChar(char, first)) return char;
  return scheme === 'dots' ? '__' : `_${char.codePointAt(0)?.toString(16)}_`;
}

/** Undoes escapeName where that is possible; text that does not fit the scheme is returned as it is. */
export function unescapeName(name: string, scheme: EscapingScheme): string {
  if (scheme === 'dots') return name.replaceAll('_dot_', '.').replaceAll('__', '_');
  if (scheme === 'values' && name.startsWith('U__')) return unescapeValues(name.slice(3)) ?? name;
  return name;
}

// Prometheus gives up on a sixth digit before it sees the closing underscore, so planes from U+100000 stay escaped.
const codeDigitsMax = 5;

function unescapeValues(escaped: string): string | undefined {
  let text = '';
  for (let i = 0; i < escaped.length; i++) {
    const char = escaped[i] as string;
    if (char !== '_') {
      text += char;
      continue;
    }
    if (escaped[i + 1] === '_') {
      text += '_';
      i++;
      continue;
    }
    const close = escaped.indexOf('_', i + 1);
    const digits = escaped.slice(i + 1, close);
    if (close < 0 || digits.length > codeDigitsMax || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
    const code = Number.parseInt(digits, 16);
    if (code >= 0xd800 && code <= 0xdfff) return undefined;
    text += String.fromCodePoint(code);
    i = close;
  }
  return text;
}
