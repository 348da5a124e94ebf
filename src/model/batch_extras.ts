/** What a batch carries beside its samples: exemplars, and what metrics are about. */
import type { Labels } from './labels.ts';

/** One observation behind a series, with labels (a trace's id, mostly) of its own. */
export interface BatchExemplar {
  /** Index into the batch's `series`. */
  readonly ref: number;
  /** The exemplar's own labels. */
  readonly labels: Labels;
  readonly value: number;
  /** Milliseconds since the epoch; an integer. */
  readonly timestampMs: number;
}

/** What is known about a metric name; a text is empty when it is unknown. */
export interface BatchMetadata {
  /** The name of the metric (family), not empty. */
  readonly metric: string;
  /** As in exposition: `counter`, `gauge`, `histogram`, ... */
  readonly type: string;
  readonly unit: string;
  readonly help: string;
}
