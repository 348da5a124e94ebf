/** What each operator of a running query gave and how long it took, for `explain`. */
import type { Clock } from '../../base/index.ts';
import type { Expr } from '../parse/tree.ts';
import type { SampleStats } from '../types.ts';

export interface OperatorRun {
  /** More than one where subqueries or functions evaluate an expression again. */
  readonly runs: number;
  /** Of all runs. */
  readonly series: number;
  readonly samples: number;
  /** Including the operands'; other queries that ran meanwhile are in it, too. */
  readonly totalMs: number;
}

const nothing: OperatorRun = { runs: 0, series: 0, samples: 0, totalMs: 0 };

export class QueryProfile {
  readonly #clock: Clock;
  readonly #operators = new Map<Expr, OperatorRun>();
  readonly #elsewhere = new Map<number, SampleStats>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts the time of one run; tell what it gave when it is over. */
  begin(expr: Expr): (series: number, samples: number) => void {
    const startMs = this.#clock.monotonicMs();
    return (series, samples) => {
      const sofar = this.of(expr);
      this.#operators.set(expr, {
        runs: sofar.runs + 1,
        series: sofar.series + series,
        samples: sofar.samples + samples,
        totalMs: sofar.totalMs + this.#clock.monotonicMs() - startMs,
      });
    };
  }

  /** What other places did for a fragment. */
  tellElsewhere(fragmentId: number, stats: SampleStats): void {
    this.#elsewhere.set(fragmentId, stats);
  }

  elsewhere(fragmentId: number): SampleStats | undefined {
    return this.#elsewhere.get(fragmentId);
  }

  of(expr: Expr): OperatorRun {
    return this.#operators.get(expr) ?? nothing;
  }
}
