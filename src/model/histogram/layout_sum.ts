/**
 * The sum of histograms that share one layout: schema and zero threshold, or custom bounds. Nothing has to be brought
 * to a common form, so such sums can be made of parts in any order. Everything is held times 2^-32, which loses no bit and
 * lets four thousand million histograms of the largest counts be added before a mean of them is taken.
 */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import { isCustomSchema, isExponentialSchema, sameBounds } from './bounds.ts';
import { FloatHistogram } from './float_histogram.ts';
import { addCompensated, addSide, type CompensatedSide, emptySide, mergeSide } from './kahan.ts';
import { sideOf, spansOf } from './spans.ts';

const factor = 2 ** -32;

type Layout = Pick<FloatHistogram, 'schema' | 'zeroThreshold' | 'customValues'>;

/** Places in the column of totals: count, sum, zero count. */
const totalsCount = 3;

export class LayoutSum {
  readonly layout: Layout;
  readonly #totals: Float64Array;
  readonly #lost: Float64Array;
  #positive: CompensatedSide = emptySide;
  #negative: CompensatedSide = emptySide;

  constructor({ schema, zeroThreshold, customValues }: Layout) {
    this.layout = { schema, zeroThreshold, customValues };
    this.#totals = new Float64Array(totalsCount);
    this.#lost = new Float64Array(totalsCount);
  }

  add(histogram: FloatHistogram): void {
    const { count, sum, zeroCount } = histogram;
    for (const [at, value] of [count, sum, zeroCount].entries()) {
      addCompensated(this.#totals, this.#lost, at, value * factor);
    }
    const scaled = (side: ReturnType<typeof sideOf>): ReturnType<typeof sideOf> => ({
      indices: side.indices,
      counts: side.counts.map((value) => value * factor),
    });
    if (histogram.positiveBuckets.length > 0) {
      const side = sideOf(histogram.positiveSpans, histogram.positiveBuckets);
      this.#positive = addSide(this.#positive, scaled(side));
    }
    if (histogram.negativeBuckets.length > 0) {
      const side = sideOf(histogram.negativeSpans, histogram.negativeBuckets);
      this.#negative = addSide(this.#negative, scaled(side));
    }
  }

  /** Adds a sum of the same layout, which is used up. */
  merge(other: LayoutSum): void {
    for (let at = 0; at < totalsCount; at++) {
      addCompensated(this.#totals, this.#lost, at, other.#totals[at] as number);
      this.#lost[at] = (this.#lost[at] as number) + (other.#lost[at] as number);
    }
    this.#positive = mergeSide(this.#positive, other.#positive);
    this.#negative = mergeSide(this.#negative, other.#negative);
  }

  /** What was added, times 2^-32. */
  scaledSum(): FloatHistogram {
    const total = (at: number): number => (this.#totals[at] as number) + (this.#lost[at] as number);
    const counts = (side: CompensatedSide): Float64Array =>
      side.counts.map((count, i) => count + (side.lost[i] as number));
    return new FloatHistogram({
      ...this.layout,
      count: total(0),
      sum: total(1),
      zeroCount: total(2),
      positiveSpans: spansOf(this.#positive.indices),
      positiveBuckets: counts(this.#positive),
      negativeSpans: spansOf(this.#negative.indices),
      negativeBuckets: counts(this.#negative),
    });
  }

  /**
   *     schema; custom bounds or zero threshold; 1 if anything was lost to rounding, else 0;
   *     totals, positive side, negative side: each a column of values and, if so, one of what was lost
   */
  write(writer: ByteWriter): void {
    const { schema, zeroThreshold, customValues } = this.layout;
    writer.varsint(schema);
    if (isCustomSchema(schema)) {
      writer.varint(customValues.length);
      writer.column(customValues);
    } else writer.f64(zeroThreshold);
    const columns = [this.#lost, this.#positive.lost, this.#negative.lost];
    const hasLost = columns.some((column) => column.some((value) => value !== 0));
    writer.u8(hasLost ? 1 : 0);
    writeScaled(writer, this.#totals);
    if (hasLost) writer.column(this.#lost);
    for (const side of [this.#positive, this.#negative]) {
      writeIndices(writer, side.indices);
      writeScaled(writer, side.counts);
      if (hasLost) writer.column(side.lost);
    }
  }

  /** Throws ByteFormatError. */
  static read(reader: ByteReader): LayoutSum {
    const read = new LayoutSum(readLayout(reader));
    const hasLost = reader.u8() === 1;
    read.#totals.set(readScaled(reader, totalsCount));
    if (hasLost) read.#lost.set(reader.floats(totalsCount));
    const side = (): CompensatedSide => {
      const indices = readIndices(reader);
      const counts = readScaled(reader, indices.length);
      return {
        indices,
        counts,
        lost: hasLost ? reader.floats(counts.length) : new Float64Array(counts.length),
      };
    };
    read.#positive = side();
    read.#negative = side();
    return read;
  }
}

/** A fixed order: exponential ones by resolution and zero bucket, custom ones by their bounds. 0 for the same layout. */
export function compareLayouts(a: Layout, b: Layout): number {
  if (a.schema !== b.schema) return a.schema - b.schema;
  if (!isCustomSchema(a.schema)) return a.zeroThreshold - b.zeroThreshold;
  if (sameBounds(a.customValues, b.customValues)) return 0;
  for (const [i, bound] of a.customValues.entries()) {
    const other = b.customValues[i];
    if (other === undefined) return 1;
    if (bound !== other) return bound < other ? -1 : 1;
  }
  return -1;
}

function readLayout(reader: ByteReader): Layout {
  const schema = reader.varsint();
  if (isCustomSchema(schema)) {
    const customValues = reader.floats(reader.varint());
    checkBounds(customValues);
    return { schema, zeroThreshold: 0, customValues };
  }
  if (!isExponentialSchema(schema)) throw new ByteFormatError(`${schema} is no schema of a histogram`);
  const zeroThreshold = reader.f64();
  if (!(zeroThreshold >= 0 && zeroThreshold < Number.POSITIVE_INFINITY)) {
    throw new ByteFormatError(`${zeroThreshold} is no zero threshold`);
  }
  return { schema, zeroThreshold, customValues: new Float64Array(0) };
}

/** Throws ByteFormatError unless ascending. */
export function checkBounds(bounds: Float64Array): void {
  for (let i = 0; i < bounds.length; i++) {
    if (Number.isNaN(bounds[i]) || (i > 0 && !((bounds[i - 1] as number) < (bounds[i] as number)))) {
      throw new ByteFormatError('the bounds of a histogram are not ascending');
    }
  }
}

function writeIndices(writer: ByteWriter, indices: Int32Array): void {
  writer.varint(indices.length);
  for (const [i, index] of indices.entries()) {
    if (i === 0) writer.varsint(index);
    else writer.varint(index - (indices[i - 1] as number) - 1);
  }
}

const indexMax = 2 ** 31 - 1;

/** Ascending, since each is told by how many were left out before it. */
function readIndices(reader: ByteReader): Int32Array {
  const count = reader.varint();
  if (count > reader.remaining) throw new ByteFormatError(`${count} buckets in ${reader.remaining} bytes`);
  const indices = new Int32Array(count);
  let index = 0;
  for (let i = 0; i < count; i++) {
    index = i === 0 ? reader.varsint() : index + 1 + reader.varint();
    if (Math.abs(index) > indexMax) throw new ByteFormatError(`${index} is no index of a bucket`);
    indices[i] = index;
  }
  return indices;
}

const scaledTags = { floats: 0, integers: 1 } as const;
const integerMax = 2 ** 48;

/** Mostly the values are whole numbers times the factor. */
function writeScaled(writer: ByteWriter, values: Float64Array): void {
  const whole = (value: number): boolean => {
    const count = value / factor;
    return Number.isInteger(count) && count >= 0 && count <= integerMax && !Object.is(count, -0);
  };
  if (values.every(whole)) {
    writer.u8(scaledTags.integers);
    for (const value of values) writer.varint(value / factor);
    return;
  }
  writer.u8(scaledTags.floats);
  writer.column(values);
}

function readScaled(reader: ByteReader, count: number): Float64Array {
  const tag = reader.u8();
  if (tag === scaledTags.floats) return reader.floats(count);
  if (tag !== scaledTags.integers)
    throw new ByteFormatError(`a histogram's counts have the unknown tag ${tag}`);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = reader.varint() * factor;
  return values;
}

/** Undoes the factor, after dividing, so that a mean of the largest counts does not overflow. */
export function unscaled(histogram: FloatHistogram, divisor: number): FloatHistogram {
  const value = (scaled: number): number => scaled / divisor / factor;
  return new FloatHistogram({
    ...histogram,
    count: value(histogram.count),
    sum: value(histogram.sum),
    zeroCount: value(histogram.zeroCount),
    positiveBuckets: histogram.positiveBuckets.map(value),
    negativeBuckets: histogram.negativeBuckets.map(value),
  });
}
