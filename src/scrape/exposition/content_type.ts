/**
 * Which format a response is in, and how to ask for one. Prometheus 3 takes a response without a valid
 * Content-Type only when the job names a `fallback_scrape_protocol`.
 */
import type { NameEscapingScheme, ScrapeProtocol } from '../config_types.ts';
import { ScrapeError } from '../errors.ts';

export type ExpositionFormat = 'text' | 'openmetrics' | 'protobuf';

const mediaTypes: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
};

const escapable: ReadonlySet<ScrapeProtocol> = new Set(['PrometheusText1.0.0', 'OpenMetricsText1.0.0']);

/** Protocols that can be asked for but not read would make targets unreadable: they are not offered. */
const unreadable: ReadonlySet<ScrapeProtocol> = new Set(['PrometheusProto']);

/** The Accept header: the protocols in order of preference with falling weight, then anything. */
export function acceptHeader(protocols: readonly ScrapeProtocol[], escaping: NameEscapingScheme): string {
  let weight = Object.keys(mediaTypes).length + 1;
  const offers: string[] = [];
  for (const protocol of protocols) {
    if (unreadable.has(protocol)) continue;
    const suffix = escapable.has(protocol) ? `;escaping=${escaping}` : '';
    offers.push(`${mediaTypes[protocol]}${suffix};q=0.${weight--}`);
  }
  offers.push(`*/*;q=0.${weight}`);
  return offers.join(',');
}

const formatByMediaType: Readonly<Record<string, ExpositionFormat>> = {
  'text/plain': 'text',
  'application/openmetrics-text': 'openmetrics',
  'application/vnd.google.protobuf': 'protobuf',
};

/** `type/subtype` with optional parameters; what RFC 9110 calls tokens. */
const mediaTypePattern =
  /^\s*([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:;\s*(?:[!#$%&'*+.^_`|~0-9a-z-]+=(?:"[^"]*"|[^\s;"]*)\s*)?)*$/i;

const contentTypeLengthMax = 1024;

/** The format of a response. Throws ScrapeError when there is none and no fallback. */
export function expositionFormat(
  contentType: string,
  fallback: ScrapeProtocol | undefined,
): ExpositionFormat {
  const media =
    contentType.length <= contentTypeLengthMax ? mediaTypePattern.exec(contentType)?.[1] : undefined;
  const format = media === undefined ? undefined : formatByMediaType[media.toLowerCase()];
  if (format !== undefined) return format;
  if (fallback !== undefined) {
    return formatByMediaType[mediaTypes[fallback].split(';')[0] as string] as ExpositionFormat;
  }
  if (contentType === '') {
    throw new ScrapeError(
      'content_type',
      'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
    );
  }
  throw new ScrapeError(
    'content_type',
    media === undefined
      ? `cannot parse Content-Type ${JSON.stringify(contentType.slice(0, 100))} and no fallback_scrape_protocol for target`
      : `received unsupported Content-Type ${JSON.stringify(contentType.slice(0, 100))} and no fallback_scrape_protocol specified for target`,
  );
}
