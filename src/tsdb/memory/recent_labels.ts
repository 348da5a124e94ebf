/**
 * Label sets of the series that were asked for lately. A set is made of numbers anew in a microsecond or two, but its key
 * and its hash, which a query needs, too, are found once only if the object stays. Two generations of bounded size: what
 * the older one still has is asked for again moves to the younger one, the rest goes with it.
 */
import type { Labels } from '../../model/index.ts';
import type { HeadIndex } from './head_index.ts';

/** Of a generation; a set takes some 300 bytes, its key included. */
const setsMax = 1 << 15;

export class RecentLabels {
  readonly #index: HeadIndex;
  /** By reference, so that a slot's next series is not taken for the one before. */
  #young = new Map<number, Labels>();
  #old = new Map<number, Labels>();

  constructor(index: HeadIndex) {
    this.#index = index;
  }

  of(slot: number): Labels {
    const ref = this.#index.series.refOf(slot);
    const known = this.#young.get(ref);
    if (known !== undefined) return known;
    const labels = this.#old.get(ref) ?? this.#index.labels(slot);
    if (this.#young.size >= setsMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(ref, labels);
    return labels;
  }
}
