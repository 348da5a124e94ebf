/** Values as JSON, as Go's encoding/json writes them: map keys sorted, `<`, `>` and `&` escaped. */

import { TemplateValueError } from './errors.ts';
import { BoundedText } from './format.ts';
import { formatExponential } from './go_float.ts';
import { TemplateDuration, TemplateTime } from './time.ts';
import { TemplateList, TemplateMap, type TemplateValue } from './value.ts';

const depthMax = 50;

function quoteJson(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function numberJson(value: number): string {
  if (!Number.isFinite(value)) throw new TemplateValueError(`json: unsupported value: ${value}`);
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-6 || magnitude >= 1e21)) {
    return formatExponential(value, -1).replace('e-0', 'e-').replace('e+0', 'e+');
  }
  return String(value);
}

function addPairs(out: BoundedText, pairs: Iterable<readonly [string, TemplateValue]>, depth: number): void {
  out.add('{');
  let first = true;
  for (const [key, value] of pairs) {
    out.add(`${first ? '' : ','}${quoteJson(key)}:`);
    first = false;
    add(out, value, depth + 1);
  }
  out.add('}');
}

function add(out: BoundedText, value: TemplateValue, depth: number): void {
  if (depth > depthMax) throw new TemplateValueError(`value is nested deeper than ${depthMax} levels`);
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') out.add(String(value));
  else if (typeof value === 'number') out.add(numberJson(value));
  else if (typeof value === 'string') out.add(quoteJson(value));
  else if (value instanceof TemplateTime) out.add(quoteJson(value.toRfc3339()));
  else if (value instanceof TemplateDuration) out.add(String(value.ns));
  else if (value instanceof TemplateList) {
    out.add('[');
    for (const [i, item] of value.items.entries()) {
      if (i > 0) out.add(',');
      add(out, item, depth + 1);
    }
    out.add(']');
  } else if (value instanceof TemplateMap) {
    addPairs(
      out,
      value.sortedKeys().map((key) => [key, value.get(key)] as const),
      depth,
    );
  } else {
    addPairs(
      out,
      [...value.fields].map(([name, field]) => [value.jsonNames[name] ?? name, field] as const),
      depth,
    );
  }
}

/** Throws TemplateValueError for NaN, infinities and over-long results. */
export function toJson(value: TemplateValue, lengthMax: number): string {
  const out = new BoundedText(lengthMax);
  add(out, value, 0);
  return out.toString();
}
