/**
 * Histograms added up in parts: what sum() and avg() keep of a group at a step, also on its way between nodes. Adding in a
 * running fashion, as HistogramAccumulator does, depends on the order where resolutions, zero buckets or bounds
 * differ; here each layout is added up for itself, and the sums meet at the end in a fixed order. So every partition
 * of the histograms gives the same buckets.
 */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import { HistogramAccumulator } from './accumulator.ts';
import { mergeHints } from './arithmetic.ts';
import { isCustomSchema } from './bounds.ts';
import { readHistogram, writeHistogram } from './codec.ts';
import { CounterResetHint } from './fields.ts';
import type { FloatHistogram } from './float_histogram.ts';
import { checkBounds, compareLayouts, LayoutSum, unscaled } from './layout_sum.ts';
import { indicesOf } from './spans.ts';

/** Bits of `#seen`. */
const seen = { exponential: 1, custom: 2, reset: 4, notReset: 8 } as const;
const seenMax = 15;
const bothKinds = seen.exponential | seen.custom;

/** More different layouts than this in one total are refused when they come as bytes. */
const layoutsMax = 10_000;

const hints = Object.values(CounterResetHint);
const forms = { nothing: 0, single: 1, sums: 2 } as const;

export class HistogramTotal {
  #count = 0;
  #seen = 0;
  #hint: CounterResetHint = CounterResetHint.Unknown;
  /** While there is one alone it stays as it came. */
  #only: FloatHistogram | undefined;
  /** Ascending by compareLayouts; empty once the kinds were mixed. */
  #sums: LayoutSum[] = [];

  get count(): number {
    return this.#count;
  }

  /** Exponential met custom buckets: there is no sum. */
  get isIncompatible(): boolean {
    return (this.#seen & bothKinds) === bothKinds;
  }

  /** Custom bounds differed, so that only those in common are left: worth an info. */
  get boundsReconciled(): boolean {
    return (this.#seen & bothKinds) === seen.custom && this.#sums.length > 1;
  }

  /** One says that the counter was reset, another that it was not: worth a warning. */
  get counterResetCollision(): boolean {
    return (this.#seen & seen.reset) !== 0 && (this.#seen & seen.notReset) !== 0;
  }

  add(histogram: FloatHistogram): void {
    const { counterResetHint, schema } = histogram;
    this.#note(1, counterResetHint, seenIn(counterResetHint, schema));
    if (this.isIncompatible) return;
    if (this.#count === 1) {
      this.#only = histogram;
      return;
    }
    this.#spread();
    this.#sumOf(histogram).add(histogram);
  }

  /** Adds another total, which is used up. */
  merge(other: HistogramTotal): void {
    if (other.#count === 0) return;
    const only = other.#only;
    if (only !== undefined) {
      this.add(only);
      return;
    }
    this.#note(other.#count, other.#hint, other.#seen);
    if (this.isIncompatible) return;
    this.#spread();
    for (const sum of other.#sums) {
      const at = this.#place(sum.layout);
      const own = this.#sums[at];
      if (own !== undefined && compareLayouts(own.layout, sum.layout) === 0) own.merge(sum);
      else this.#sums.splice(at, 0, sum);
    }
  }

  /** Undefined when nothing was added or the kinds are incompatible; otherwise with all buckets, empty ones, too. */
  sum(): FloatHistogram | undefined {
    return this.#result(1);
  }

  /** The sum divided by the number of histograms, which does not overflow where the sum would. */
  mean(): FloatHistogram | undefined {
    return this.#result(this.#count);
  }

  #result(divisor: number): FloatHistogram | undefined {
    if (this.#only !== undefined) return this.#only;
    const [first, ...others] = this.#sums;
    if (first === undefined) return undefined;
    let total = first.scaledSum();
    if (others.length > 0) {
      const accumulator = new HistogramAccumulator(total);
      for (const other of others) accumulator.add(other.scaledSum());
      total = accumulator.result();
    }
    return unscaled(total, divisor).withHint(this.#hint);
  }

  #note(count: number, hint: CounterResetHint, seenThere: number): void {
    this.#hint = this.#count === 0 ? hint : mergeHints(this.#hint, hint).hint;
    this.#count += count;
    this.#seen |= seenThere;
    if (!this.isIncompatible) return;
    this.#only = undefined;
    this.#sums = [];
  }

  /** One more is coming: the single one becomes a sum. */
  #spread(): void {
    const only = this.#only;
    if (only === undefined) return;
    this.#only = undefined;
    this.#sumOf(only).add(only);
  }

  #sumOf(histogram: FloatHistogram): LayoutSum {
    const at = this.#place(histogram);
    const there = this.#sums[at];
    if (there !== undefined && compareLayouts(there.layout, histogram) === 0) return there;
    const sum = new LayoutSum(histogram);
    this.#sums.splice(at, 0, sum);
    return sum;
  }

  /** Where the layout is or belongs. */
  #place(layout: LayoutSum['layout']): number {
    let at = 0;
    while (at < this.#sums.length && compareLayouts((this.#sums[at] as LayoutSum).layout, layout) < 0) at++;
    return at;
  }

  /** varint count, what was seen, hint; then nothing, the single histogram, or varint layouts and their sums. */
  write(writer: ByteWriter): void {
    writer.varint(this.#count);
    writer.u8(this.#seen);
    writer.u8(this.#hint);
    if (this.#only !== undefined) {
      writer.u8(forms.single);
      writeHistogram(writer, this.#only);
    } else if (this.#sums.length === 0) writer.u8(forms.nothing);
    else {
      writer.u8(forms.sums);
      writer.varint(this.#sums.length);
      for (const sum of this.#sums) sum.write(writer);
    }
  }

  /** Throws ByteFormatError on bytes that no total is written as. */
  static read(reader: ByteReader): HistogramTotal {
    const total = new HistogramTotal();
    total.#count = reader.varint();
    total.#seen = reader.u8();
    const hint = hints[reader.u8()];
    if (total.#seen > seenMax || hint === undefined)
      throw new ByteFormatError('a total of histograms is unsound');
    total.#hint = hint;
    const form = reader.u8();
    if (form === forms.single) total.#only = readSoundHistogram(reader);
    else if (form === forms.sums) total.#sums = readSums(reader);
    else if (form !== forms.nothing)
      throw new ByteFormatError(`a total of histograms has the unknown form ${form}`);
    total.#check();
    return total;
  }

  #check(): void {
    const kinds = this.#sums.map(({ layout }) => layout);
    if (this.#only !== undefined) kinds.push(this.#only);
    const custom = this.isIncompatible ? undefined : (this.#seen & seen.custom) !== 0;
    const isSound =
      kinds.every(({ schema }) => isCustomSchema(schema) === custom) &&
      kinds.length > 0 === (this.#count > 0 && !this.isIncompatible) &&
      (this.#only === undefined || this.#count === 1);
    if (!isSound) throw new ByteFormatError('a total of histograms contradicts itself');
  }
}

function seenIn(hint: CounterResetHint, schema: number): number {
  const kind = isCustomSchema(schema) ? seen.custom : seen.exponential;
  if (hint === CounterResetHint.Reset) return kind | seen.reset;
  return hint === CounterResetHint.NotReset ? kind | seen.notReset : kind;
}

function readSums(reader: ByteReader): LayoutSum[] {
  const count = reader.varint();
  if (count > layoutsMax) throw new ByteFormatError(`${count} layouts of histograms are too many`);
  const sums: LayoutSum[] = [];
  for (let i = 0; i < count; i++) {
    const sum = LayoutSum.read(reader);
    const last = sums.at(-1);
    if (last !== undefined && compareLayouts(last.layout, sum.layout) >= 0) {
      throw new ByteFormatError('layouts of histograms are not ascending');
    }
    sums.push(sum);
  }
  return sums;
}

const indexMax = 2 ** 31 - 1;

/** As readHistogram, but also refuses what arithmetic can not work with: buckets and bounds that do not ascend. */
export function readSoundHistogram(reader: ByteReader): FloatHistogram {
  const histogram = readHistogram(reader);
  const { positiveSpans, positiveBuckets, negativeSpans, negativeBuckets } = histogram;
  checkBounds(histogram.customValues);
  for (const [spans, buckets] of [
    [positiveSpans, positiveBuckets],
    [negativeSpans, negativeBuckets],
  ] as const) {
    let index = 0;
    for (const [i, { offset, length }] of spans.entries()) {
      if (i > 0 && offset < 0) throw new ByteFormatError('the buckets of a histogram are not ascending');
      index += offset + length;
      if (Math.abs(index) > indexMax) throw new ByteFormatError(`${index} is no index of a bucket`);
    }
    if (indicesOf(spans, buckets.length).length !== buckets.length) {
      throw new ByteFormatError('the buckets of a histogram are not all in a span');
    }
  }
  if (!(histogram.zeroThreshold >= 0))
    throw new ByteFormatError('the zero threshold of a histogram is no number');
  return histogram;
}
