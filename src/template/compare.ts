/** eq, ne, lt, le, gt, ge: basic kinds only, and int against float is refused, as in Go. */
import { compareBytes } from '../model/index.ts';
import { TemplateValueError } from './errors.ts';
import { TemplateDuration } from './time.ts';
import { type TemplateFunction, type TemplateValue, templateFunction } from './value.ts';

type Basic = boolean | bigint | number | string | null;

function basic(value: TemplateValue): Basic {
  if (value instanceof TemplateDuration) return value.ns;
  if (value !== null && typeof value === 'object')
    throw new TemplateValueError('non-comparable type in comparison');
  return value;
}

function equal(left: TemplateValue, right: TemplateValue): boolean {
  const a = basic(left);
  const b = basic(right);
  if (a === null || b === null) return a === b;
  if (typeof a !== typeof b) throw new TemplateValueError('incompatible types for comparison');
  return a === b;
}

function less(left: TemplateValue, right: TemplateValue): boolean {
  const a = basic(left);
  const b = basic(right);
  if (typeof a !== typeof b) throw new TemplateValueError('incompatible types for comparison');
  if (a === null || b === null || typeof a === 'boolean' || typeof b === 'boolean') {
    throw new TemplateValueError('invalid type for comparison');
  }
  return typeof a === 'string' && typeof b === 'string' ? compareBytes(a, b) < 0 : a < b;
}

function binary(decide: (a: TemplateValue, b: TemplateValue) => boolean): TemplateFunction {
  return templateFunction(2, 2, (args) => decide(args[0] ?? null, args[1] ?? null));
}

export const comparisons: Readonly<Record<string, TemplateFunction>> = {
  eq: templateFunction(1, Number.POSITIVE_INFINITY, (args) => {
    if (args.length < 2) throw new TemplateValueError('missing argument for comparison');
    return args.slice(1).some((other) => equal(args[0] ?? null, other));
  }),
  ne: binary((a, b) => !equal(a, b)),
  lt: binary(less),
  le: binary((a, b) => less(a, b) || equal(a, b)),
  gt: binary((a, b) => !(less(a, b) || equal(a, b))),
  ge: binary((a, b) => !less(a, b)),
};
