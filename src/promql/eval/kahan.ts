/**
 * Neumaier's variant of Kahan summation ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", 1974): the sum is `sum + compensation`. An infinite sum has no compensation.
 */
export class KahanSum {
  sum: number;
  compensation = 0;

  constructor(start = 0) {
    this.sum = start;
  }

  add(value: number): void {
    const total = this.sum + value;
    if (!Number.isFinite(total) && !Number.isNaN(total)) this.compensation = 0;
    else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - total + value;
    else this.compensation += value - total + this.sum;
    this.sum = total;
  }

  get total(): number {
    return this.sum + this.compensation;
  }
}

/** The change of the compensation when `value` is added to `sum` giving `total`, which must be finite or NaN. */
export function lostBits(sum: number, value: number, total: number): number {
  return Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
}

/** Of either sign; false for NaN, which Number.isFinite does not tell apart. */
export function isInfinite(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}
