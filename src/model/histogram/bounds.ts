/**
 * Bucket bounds. Exponential bucket i of schema n ends at 2^(i / 2^n) (Prometheus native histogram
 * specification, "Exponential schemas"). The mantissas are computed once, exactly, instead of by Math.pow, whose last
 * digit is not specified: bounds must agree bit for bit on every node.
 */

export const exponentialSchemaMin = -4;
export const exponentialSchemaMax = 8;
export const customBucketsSchema = -53;

export function isCustomSchema(schema: number): boolean {
  return schema === customBucketsSchema;
}

export function isExponentialSchema(schema: number): boolean {
  return Number.isInteger(schema) && schema >= exponentialSchemaMin && schema <= exponentialSchemaMax;
}

const fractionBits = 256n;

function integerSqrt(value: bigint): bigint {
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** 2^(k/256) / 2 for k = 0..255, correctly rounded: 256-bit fixed point, then cut to a double's 53 bits. */
function mantissaTable(): Float64Array {
  const one = 1n << fractionBits;
  let step = 2n * one;
  for (let i = 0; i < exponentialSchemaMax; i++) step = integerSqrt(step * one);
  const table = new Float64Array(1 << exponentialSchemaMax);
  let value = one;
  for (let k = 0; k < table.length; k++) {
    const cut = fractionBits - 52n;
    const rounded = (value + (1n << (cut - 1n))) >> cut;
    table[k] = Number(rounded) / 2 ** 53;
    value = (value * step) / one;
  }
  return table;
}

const mantissas = mantissaTable();

/** fraction × 2^exponent, rounded once, also where the result is subnormal. */
function scaleByPowerOfTwo(fraction: number, exponent: number): number {
  if (exponent >= -1000 && exponent <= 1000) return fraction * 2 ** exponent;
  const step = exponent < 0 ? -1000 : 1000;
  const rest = Math.max(-1022, Math.min(1023, exponent - step));
  return fraction * 2 ** step * 2 ** rest;
}

/** The upper bound of an exponential bucket. The last one before the bucket of infinities ends at the largest double. */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === 1024 ? Number.MAX_VALUE : scaleByPowerOfTwo(1, exponent);
  }
  const perPower = 2 ** schema;
  const exponent = Math.floor(index / perPower) + 1;
  const within = index - (exponent - 1) * perPower;
  if (within === 0 && exponent === 1025) return Number.MAX_VALUE;
  return scaleByPowerOfTwo(mantissas[within * 2 ** (exponentialSchemaMax - schema)] as number, exponent);
}

/** The upper bound of a bucket of either kind; for custom buckets -1 is the lower end of the first. */
export function bucketBound(index: number, schema: number, customValues: Float64Array): number {
  if (!isCustomSchema(schema)) return exponentialBound(index, schema);
  if (index < 0) return Number.NEGATIVE_INFINITY;
  return customValues[index] ?? Number.POSITIVE_INFINITY;
}

/** Where a bucket goes when the resolution is reduced from one exponential schema to a lower one. */
export function targetIndex(index: number, fromSchema: number, toSchema: number): number {
  return Math.floor((index - 1) / 2 ** (fromSchema - toSchema)) + 1;
}

export function sameBounds(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}

/** The bounds that both have. */
export function intersectBounds(a: Float64Array, b: Float64Array): Float64Array {
  const known = new Set(b);
  return a.filter((bound) => known.has(bound));
}
