/**
 * Functions of each value by itself: rounding, logarithms, trigonometry, clamping.
 */
import { floatsOnly } from '../eval/values.ts';
import {
  argument,
  elementwise,
  type FunctionFamily,
  type FunctionSpec,
  named,
  scalarColumns,
} from './function.ts';
import { goMax, goMin } from './go_extrema.ts';

/** To the nearest multiple, halves up. */
function roundTo(value: number, nearest: number): number {
  const inverse = 1 / nearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

function sign(value: number): number {
  if (value < 0) return -1;
  return value > 0 ? 1 : value;
}

/** clamp with bounds per step: steps whose lower bound exceeds the upper have no result. */
const clamp: FunctionSpec = {
  perSeries: true,
  evaluate: async (call, evaluator) => {
    const series = floatsOnly((await evaluator.vector(argument(call, 0))).series);
    const [lowest, highest] = await scalarColumns(call, evaluator, 1);
    if (lowest === undefined || highest === undefined) return { type: 'vector', series: [] };
    for (const { values, present } of series) {
      for (let i = 0; i < values.length; i++) {
        const low = lowest[i] as number;
        const high = highest[i] as number;
        if (high < low) present[i] = 0;
        else values[i] = goMax(low, goMin(high, values[i] as number));
      }
    }
    return named(
      series.filter(({ present }) => present.includes(1)),
      evaluator,
    );
  },
};

/** From here on sinh and cosh are half of exp, and with that, as in Prometheus, infinite as soon as exp is. */
const hyperbolicLarge = 21;

function halfExp(x: number): number {
  return Math.exp(Math.abs(x)) * 0.5;
}

export const elementwiseFunctions: FunctionFamily<
  | 'abs'
  | 'ceil'
  | 'floor'
  | 'exp'
  | 'sqrt'
  | 'ln'
  | 'log2'
  | 'log10'
  | 'sgn'
  | 'round'
  | 'clamp'
  | 'clamp_min'
  | 'clamp_max'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'rad'
  | 'deg'
> = {
  abs: elementwise(Math.abs),
  ceil: elementwise(Math.ceil),
  floor: elementwise(Math.floor),
  exp: elementwise(Math.exp),
  sqrt: elementwise(Math.sqrt),
  ln: elementwise(Math.log),
  log2: elementwise(Math.log2),
  log10: elementwise(Math.log10),
  sgn: elementwise(sign),
  round: elementwise((value, args) => roundTo(value, args.length === 0 ? 1 : (args[0] as number))),
  clamp,
  clamp_min: elementwise((value, args) => goMax(args[0] as number, value)),
  clamp_max: elementwise((value, args) => goMin(args[0] as number, value)),
  sin: elementwise(Math.sin),
  cos: elementwise(Math.cos),
  tan: elementwise(Math.tan),
  asin: elementwise(Math.asin),
  acos: elementwise(Math.acos),
  atan: elementwise(Math.atan),
  sinh: elementwise((x) => (Math.abs(x) > hyperbolicLarge ? Math.sign(x) * halfExp(x) : Math.sinh(x))),
  cosh: elementwise((x) => (Math.abs(x) > hyperbolicLarge ? halfExp(x) : Math.cosh(x))),
  tanh: elementwise(Math.tanh),
  asinh: elementwise(Math.asinh),
  acosh: elementwise(Math.acosh),
  atanh: elementwise(Math.atanh),
  rad: elementwise((value) => (value * Math.PI) / 180),
  deg: elementwise((value) => (value * 180) / Math.PI),
};
