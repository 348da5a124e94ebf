/**
 * The mean of a stream of values: a compensated sum until it would overflow, a running mean from then on.
 */
import { isInfinite, KahanSum } from '../eval/kahan.ts';

export class AvgState {
  #sum = new KahanSum();
  #count = 0;
  #isMean = false;

  add(value: number): void {
    this.#count++;
    if (this.#count === 1) {
      this.#sum.sum = value;
      return;
    }
    const count = this.#count;
    if (!this.#isMean) {
      if (!isInfinite(this.#sum.sum + value)) {
        this.#sum.add(value);
        return;
      }
      this.#isMean = true;
      this.#sum.sum /= count - 1;
      this.#sum.compensation /= count - 1;
    }
    const kept = (count - 1) / count;
    this.#sum.sum *= kept;
    this.#sum.compensation *= kept;
    this.#sum.add(value / count);
  }

  get mean(): number {
    if (this.#isMean) return this.#sum.total;
    return this.#sum.sum / this.#count + this.#sum.compensation / this.#count;
  }
}
