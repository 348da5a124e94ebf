/** Labels as they cross a thread: a class instance does not survive a structured clone, its flat form does. */
import { Labels } from '../model/index.ts';

/** `[name0, value0, ...]` in canonical order. */
export type LabelsFlat = readonly string[];

export const fromFlat = (flat: LabelsFlat): Labels => Labels.fromSortedFlat(flat);
