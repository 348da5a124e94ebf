/** Native histograms. */
export interface FloatHistogram {
  readonly schema: number;
}
