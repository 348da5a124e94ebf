/**
 * Parts of a UTC date; values are seconds since the epoch, without an argument the evaluation time.
 */
import { Labels } from '../../model/index.ts';
import { floatsOnly } from '../eval/values.ts';
import { argument, type FunctionFamily, type FunctionSpec, named } from './function.ts';

const dayMs = 86_400_000;

/** Whole seconds; beyond what a date holds the result is NaN. */
function partOf(seconds: number, part: (date: Date) => number): number {
  return part(new Date(Math.trunc(seconds) * 1000));
}

function datePart(part: (date: Date) => number): FunctionSpec {
  return {
    perSeries: true,
    evaluate: async (call, evaluator) => {
      const { grid } = evaluator;
      if (call.args.length === 0) {
        const values = new Float64Array(grid.steps);
        for (let i = 0; i < values.length; i++) {
          values[i] = partOf(Math.trunc((grid.startMs + i * grid.stepMs) / 1000), part);
        }
        const present = new Uint8Array(grid.steps).fill(1);
        return { type: 'vector', series: [{ labels: Labels.empty, values, present }] };
      }
      const series = floatsOnly((await evaluator.vector(argument(call, 0))).series);
      for (const { values } of series) {
        for (let i = 0; i < values.length; i++) values[i] = partOf(values[i] as number, part);
      }
      return named(series, evaluator);
    },
  };
}

function dayOfYear(date: Date): number {
  // Not Date.UTC, which takes the years 0 to 99 for those of the last century.
  const newYear = new Date(date);
  newYear.setUTCMonth(0, 1);
  return Math.floor((date.getTime() - newYear.setUTCHours(0, 0, 0, 0)) / dayMs) + 1;
}

function daysInMonth(date: Date): number {
  const last = new Date(date);
  last.setUTCMonth(date.getUTCMonth() + 1, 0);
  return last.getUTCDate();
}

export const dateFunctions: FunctionFamily<
  'minute' | 'hour' | 'day_of_week' | 'day_of_month' | 'day_of_year' | 'days_in_month' | 'month' | 'year'
> = {
  minute: datePart((date) => date.getUTCMinutes()),
  hour: datePart((date) => date.getUTCHours()),
  day_of_week: datePart((date) => date.getUTCDay()),
  day_of_month: datePart((date) => date.getUTCDate()),
  day_of_year: datePart(dayOfYear),
  days_in_month: datePart(daysInMonth),
  month: datePart((date) => date.getUTCMonth() + 1),
  year: datePart((date) => date.getUTCFullYear()),
};
