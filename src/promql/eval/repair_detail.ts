/**
 * What an info says about counts of buckets that were raised to be monotonic: between which buckets, by how much, in how
 * many samples, when. Infos from several nodes and calls become one, so a detail can be read from a text again.
 */
import { formatFloatE, formatFloatG, formatGoTime, parseFloatText, parseRfc3339 } from '../../model/index.ts';

const pattern =
  /, from buckets (\S+) to (\S+), with a max diff of (\S+), over (\d+) samples from (\S+) to (\S+)$/;

export interface Repairs {
  readonly minBound: number;
  readonly maxBound: number;
  readonly maxDifference: number;
  readonly samples: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export class RepairDetail {
  readonly #repairs: Repairs;

  constructor(repairs: Repairs) {
    this.#repairs = repairs;
  }

  /** A message without its detail, and that; '' when it has none. */
  static splitFrom(message: string): { before: string; detail: string } {
    const at = message.search(pattern);
    return at < 0
      ? { before: message, detail: '' }
      : { before: message.slice(0, at), detail: message.slice(at) };
  }

  /** Two texts as one; either may be ''. */
  static join(left: string, right: string): string {
    const [a, b] = [repairsIn(left), repairsIn(right)];
    if (a === undefined || b === undefined) return left === '' ? right : left;
    return new RepairDetail({
      minBound: Math.min(a.minBound, b.minBound),
      maxBound: Math.max(a.maxBound, b.maxBound),
      maxDifference: Math.max(a.maxDifference, b.maxDifference),
      samples: a.samples + b.samples,
      firstMs: Math.min(a.firstMs, b.firstMs),
      lastMs: Math.max(a.lastMs, b.lastMs),
    }).toString();
  }

  toString(): string {
    const { minBound, maxBound, maxDifference, samples, firstMs, lastMs } = this.#repairs;
    return (
      `, from buckets ${formatFloatG(minBound)} to ${formatFloatG(maxBound)}, ` +
      `with a max diff of ${twoDigits(maxDifference)}, ` +
      `over ${samples} samples from ${wholeSeconds(firstMs)} to ${wholeSeconds(lastMs)}`
    );
  }
}

function repairsIn(text: string): Repairs | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, from = '', to = '', difference = '', samples = '', first = '', last = ''] = match;
  return {
    minBound: parseFloatText(from) ?? Number.NaN,
    maxBound: parseFloatText(to) ?? Number.NaN,
    maxDifference: parseFloatText(difference) ?? Number.NaN,
    samples: Number(samples),
    firstMs: parseRfc3339(first) ?? 0,
    lastMs: parseRfc3339(last) ?? 0,
  };
}

/** Go's `%.2g`. */
function twoDigits(value: number): string {
  const digits = value.toPrecision(2);
  return digits.includes('e') ? formatFloatE(Number(digits)) : formatFloatG(Number(digits));
}

function wholeSeconds(atMs: number): string {
  return formatGoTime(Math.trunc(atMs / 1000) * 1000);
}
