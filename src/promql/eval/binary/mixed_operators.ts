/**
 * Binary operators on elements of which at least one is a native histogram, and the operators that only histograms have.
 */
import { CounterResetHint, type FloatHistogram } from '../../../model/index.ts';
import type { BinaryOperator, Span } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { Annotations } from '../annotations.ts';
import { unlessIncompatible } from '../notes.ts';
import { histogramAt } from '../values.ts';
import { trimHistogram } from './trim.ts';

export type Element = number | FloatHistogram;

export interface Note {
  readonly severity: 'warning' | 'info';
  readonly text: string;
}

export interface Outcome {
  /** Undefined when the two can't be combined, which is as if they had not met. */
  readonly value: Element | undefined;
  /** False when a comparison leaves the element out. */
  readonly held: boolean;
  readonly note?: Note;
}

export function elementAt(series: StepSeries, step: number): Element {
  return histogramAt(series, step) ?? (series.values[step] as number);
}

/** Two floats are only for the trim operators, which don't take them. */
export function combineMixed(op: BinaryOperator, left: Element, right: Element): Outcome {
  if (typeof left !== 'number') {
    return typeof right === 'number' ? histogramWithFloat(op, left, right) : twoHistograms(op, left, right);
  }
  if (typeof right !== 'number' && op === '*') return computed(right.scale(left).compact());
  return incompatibleTypes(op, left, right);
}

function computed(value: Element, note?: Note): Outcome {
  return { value, held: true, ...(note === undefined ? {} : { note }) };
}

function failed(note: Note): Outcome {
  return { value: undefined, held: false, note };
}

function incompatibleTypes(op: BinaryOperator, left: Element, right: Element): Outcome {
  const [leftType, rightType] = [left, right].map((each) =>
    typeof each === 'number' ? 'float' : 'histogram',
  );
  const text = `incompatible sample types encountered for binary operator "${op}": ${leftType} ${op} ${rightType}`;
  return failed({ severity: 'info', text });
}

function histogramWithFloat(op: BinaryOperator, left: FloatHistogram, right: number): Outcome {
  switch (op) {
    case '*':
      return computed(left.scale(right).compact());
    case '/':
      return computed(left.divide(right).compact());
    case '</':
      return computed(trimHistogram(left, right, true));
    case '>/':
      return computed(trimHistogram(left, right, false));
    default:
      return incompatibleTypes(op, left, right);
  }
}

function twoHistograms(op: BinaryOperator, left: FloatHistogram, right: FloatHistogram): Outcome {
  switch (op) {
    case '+':
      return added(
        op,
        unlessIncompatible(() => left.add(right)),
      );
    case '-':
      return added(
        op,
        unlessIncompatible(() => left.sub(right)),
      );
    case '==':
      return { value: left, held: left.equals(right) };
    case '!=':
      return { value: left, held: !left.equals(right) };
    default:
      return incompatibleTypes(op, left, right);
  }
}

function added(op: '+' | '-', sum: ReturnType<FloatHistogram['add']> | undefined): Outcome {
  if (sum === undefined) {
    return failed({
      severity: 'warning',
      text: `incompatible bucket layout encountered for binary operator ${op}`,
    });
  }
  const during = op === '+' ? 'addition' : 'subtraction';
  if (sum.counterResetCollision) {
    return failed({ severity: 'warning', text: `conflicting counter resets during histogram ${during}` });
  }
  // What is left after a subtraction is no counter.
  const histogram = op === '+' ? sum.histogram : sum.histogram.withHint(CounterResetHint.Gauge);
  if (!sum.boundsReconciled) return computed(histogram.compact());
  const text = `mismatched custom buckets were reconciled during ${during}`;
  return computed(histogram.compact(), { severity: 'info', text });
}

/** The notes of one expression: as in Prometheus, of each step only the one of its last pair. */
export class StepNotes {
  readonly #notes = new Map<number, { readonly order: number; readonly note: Note }>();

  /** `order` is the place of a pair among those of a step. */
  add(step: number, order: number, note: Note): void {
    const known = this.#notes.get(step);
    if (known === undefined || known.order <= order) this.#notes.set(step, { order, note });
  }

  annotate(annotations: Annotations, span: Span): void {
    for (const { note } of this.#notes.values()) {
      if (note.severity === 'warning') annotations.warn(note.text, span);
      else annotations.info(note.text, span);
    }
  }
}
