/**
 * All functions of the language with their kernels. That every signature has one is checked by the compiler.
 */
import { absenceFunctions } from './absence.ts';
import { dateFunctions } from './dates.ts';
import { elementwiseFunctions } from './elementwise.ts';
import type { FunctionSpec } from './function.ts';
import { histogramFunctions } from './histograms.ts';
import { infoFunctions } from './info.ts';
import { labelFunctions } from './labels.ts';
import { overTimeFunctions } from './over_time.ts';
import { rateFunctions } from './rates.ts';
import { regressionFunctions } from './regression.ts';
import { scalarFunctions } from './scalars.ts';
import type { FunctionName } from './signatures.ts';
import { sortFunctions } from './sorting.ts';

export const functionTable: Readonly<Record<FunctionName, FunctionSpec>> = {
  ...absenceFunctions,
  ...dateFunctions,
  ...elementwiseFunctions,
  ...histogramFunctions,
  ...infoFunctions,
  ...labelFunctions,
  ...overTimeFunctions,
  ...rateFunctions,
  ...regressionFunctions,
  ...scalarFunctions,
  ...sortFunctions,
};
