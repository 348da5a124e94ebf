/**
 * Parts of a UTC date; values are seconds since the epoch, without an argument the evaluation time.
 */
import { Labels } from '../../model/index.ts';
import { floatsOnly } from '../eval/values.ts';
import { type CivilTime, civilTime, dayOfWeek, dayOfYear, daysInMonth } from './calendar.ts';
import { argument, type FunctionFamily, type FunctionSpec, named } from './function.ts';

function datePart(part: (time: CivilTime) => number): FunctionSpec {
  return {
    perSeries: true,
    evaluate: async (call, evaluator) => {
      const { grid } = evaluator;
      if (call.args.length === 0) {
        const values = new Float64Array(grid.steps);
        for (let i = 0; i < values.length; i++) {
          values[i] = part(civilTime((grid.startMs + i * grid.stepMs) / 1000));
        }
        const present = new Uint8Array(grid.steps).fill(1);
        return { type: 'vector', series: [{ labels: Labels.empty, values, present }] };
      }
      const series = floatsOnly((await evaluator.vector(argument(call, 0))).series);
      for (const { values } of series) {
        for (let i = 0; i < values.length; i++) values[i] = part(civilTime(values[i] as number));
      }
      return named(series, evaluator);
    },
  };
}

export const dateFunctions: FunctionFamily<
  'minute' | 'hour' | 'day_of_week' | 'day_of_month' | 'day_of_year' | 'days_in_month' | 'month' | 'year'
> = {
  minute: datePart(({ secondOfDay }) => Math.floor(secondOfDay / 60) % 60),
  hour: datePart(({ secondOfDay }) => Math.floor(secondOfDay / 3600)),
  day_of_week: datePart(dayOfWeek),
  day_of_month: datePart(({ day }) => day),
  day_of_year: datePart(dayOfYear),
  days_in_month: datePart(daysInMonth),
  month: datePart(({ month }) => month),
  year: datePart(({ year }) => year),
};
