/**
 * Where operators put the results of a series. Columns that are kept are cut from blocks: a short typed array with memory of
 * its own costs the allocator and the garbage collector more than filling it. Those of series that only pass by are always
 * the same.
 */
import type { Evaluator } from './context.ts';
import type { Coverage } from './step_windows.ts';

export interface StepCells {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

export interface ColumnSource {
  /** Nothing is present; values mean nothing yet. */
  next(): StepCells;
  /** These steps are present: not to be changed. Their values mean nothing yet. */
  nextCovering(coverage: Coverage): StepCells;
  /** Results that are somewhere already need not be copied. */
  readonly takesShared: boolean;
}

/** Values of a block at most; blocks begin small, for those who need few. */
const blockValuesMax = 1 << 15;
const firstBlockSeries = 4;

/** Columns to keep, as many as the context allows; values are 0 at first. */
export class StepColumns implements ColumnSource {
  readonly takesShared = false;
  readonly #evaluator: Pick<Evaluator, 'context' | 'grid'>;
  readonly #steps: number;
  #series = 0;
  #blockSeries = firstBlockSeries;
  #values = new Float64Array(0);
  #present = new Uint8Array(0);
  #used = 0;

  constructor(evaluator: Pick<Evaluator, 'context' | 'grid'>) {
    this.#evaluator = evaluator;
    this.#steps = evaluator.grid.steps;
  }

  /** Throws TooManySamplesError, as `next` does. */
  nextCovering({ present }: Coverage): StepCells {
    const cells = this.next();
    cells.present.set(present);
    return cells;
  }

  next(): StepCells {
    const end = this.#used + this.#steps;
    if (end > this.#values.length) {
      const most = Math.max(1, Math.floor(blockValuesMax / (this.#steps + 1)));
      const inBlock = Math.min(this.#blockSeries, most);
      this.#blockSeries *= 2;
      this.#series += inBlock;
      this.#evaluator.context.reserve(this.#series, this.#evaluator.grid);
      this.#values = new Float64Array(inBlock * this.#steps);
      this.#present = new Uint8Array(inBlock * this.#steps);
      this.#used = 0;
      return this.next();
    }
    const values = this.#values.subarray(this.#used, end);
    const present = this.#present.subarray(this.#used, end);
    this.#used = end;
    return { values, present };
  }
}

/** Columns that are overwritten by those of the next series. */
export class PassingColumns implements ColumnSource {
  readonly takesShared = true;
  readonly #cells: StepCells;

  constructor(steps: number) {
    this.#cells = { values: new Float64Array(steps), present: new Uint8Array(steps) };
  }

  nextCovering({ present }: Coverage): StepCells {
    return { values: this.#cells.values, present };
  }

  next(): StepCells {
    this.#cells.present.fill(0);
    return this.#cells;
  }
}
