/** Names of --enable-feature that change how targets are scraped, and what they make of a job. */
import type { ScrapeConfig } from './config_types.ts';
import { defaultProtocols, protoFirstProtocols } from './protocols.ts';

/** What a job does beyond what its section of the configuration says. */
export interface ScrapeFeatures {
  /** A counter begins with a zero at its start time, where its target tells that. */
  readonly startTimeZeroSamples: boolean;
  /** Type and unit of a metric are labels of its series. */
  readonly typeAndUnitLabels: boolean;
}

export const noScrapeFeatures: ScrapeFeatures = { startTimeZeroSamples: false, typeAndUnitLabels: false };

const nativeHistograms = 'native-histograms';
const startTimes = 'created-timestamp-zero-ingestion';
const extraMetrics = 'extra-scrape-metrics';
const typeAndUnit = 'type-and-unit-labels';

/** Names that `withScrapeFeatures` knows. */
export const scrapeFeatureNames: readonly string[] = [
  nativeHistograms,
  startTimes,
  extraMetrics,
  typeAndUnit,
];

/**
 * The jobs with these features on. Native histograms and start times come by protobuf, which is then asked for first where
 * the configuration names no protocols.
 */
export function withScrapeFeatures<Discovery>(
  configs: readonly ScrapeConfig<Discovery>[],
  names: readonly string[],
): readonly ScrapeConfig<Discovery>[] {
  const isOn = (name: string): boolean => names.includes(name);
  const isProtoFirst = isOn(nativeHistograms) || isOn(startTimes);
  return configs.map((config) => ({
    ...config,
    scrapeNativeHistograms: config.scrapeNativeHistograms || isOn(nativeHistograms),
    extraScrapeMetrics: config.extraScrapeMetrics || isOn(extraMetrics),
    scrapeProtocols:
      isProtoFirst && config.scrapeProtocols === defaultProtocols
        ? protoFirstProtocols
        : config.scrapeProtocols,
    features: { startTimeZeroSamples: isOn(startTimes), typeAndUnitLabels: isOn(typeAndUnit) },
  }));
}
