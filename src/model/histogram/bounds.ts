/**
 * Bucket bounds. Exponential bucket i of schema n ends at 2^(i / 2^n) (Prometheus native histogram
 * specification, "Exponential schemas"). Every Prometheus shows and compares the bounds of one published table,
 * whose last digits are not those of the exact powers, and not those of any Math.pow either; so the table is
 * rebuilt here bit for bit: exact powers in integer arithmetic, then the known differences.
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

/** One digit per mantissa: by how many units in the last place the table lies below the exact power, plus one. */
const tableOffsets =
  '1111112111211111112311222222222211211121122211221122102211221122' +
  '1111112222332132112111211112111111121011213311221222112121332222' +
  '2121223322322122222222323233323311221121223321332233212232332232' +
  '2243223233433343333333444455435422322333324422333243223333543344';

/** 2^(k/256) / 2 for k = 0..255: in 256-bit fixed point, rounded to 53 bits, then moved to the table's value. */
function mantissaTable(): Float64Array {
  const one = 1n << fractionBits;
  let step = 2n * one;
  for (let i = 0; i < exponentialSchemaMax; i++) step = integerSqrt(step * one);
  const table = new Float64Array(1 << exponentialSchemaMax);
  const cut = fractionBits - 52n;
  let value = one;
  for (let k = 0; k < table.length; k++) {
    const rounded = (value + (1n << (cut - 1n))) >> cut;
    table[k] = (Number(rounded) - (Number(tableOffsets[k]) - 1)) / 2 ** 53;
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
