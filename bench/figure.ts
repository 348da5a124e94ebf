/**
 * What a benchmark yields: one figure at a time, so that a long bench shows its progress. A bench is a file
 * `bench/<room>/<name>.ts` whose default export is such a generator.
 */
export interface Figure {
  /** `<room>/<name>`; the harness fills it in when it is left out. */
  readonly bench?: string;
  readonly figure: string;
  readonly value: number;
  /** What one of `value` is: `messages/s`, `bytes/sample`, `ms`. */
  readonly unit: string;
  /** What the figure is compared with, and that one's value in the same unit. */
  readonly peer?: string;
  readonly peerValue?: number;
}

export type Bench = () => AsyncIterable<Figure>;
