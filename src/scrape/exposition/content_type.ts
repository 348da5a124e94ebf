/**
 * Which format a response is in, and how to ask for one. Prometheus 3 takes a response without a valid
 * Content-Type only when the job names a `fallback_scrape_protocol`.
 */
import { quoteGo } from '../../model/index.ts';
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

/** The Accept header: the protocols in order of preference with falling weight, then anything. */
export function acceptHeader(protocols: readonly ScrapeProtocol[], escaping: NameEscapingScheme): string {
  let weight = Object.keys(mediaTypes).length + 1;
  const offers: string[] = [];
  for (const protocol of protocols) {
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

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const leadingToken = new RegExp(`^${token}`);
/** `; name=value`; a quoted value may hold anything but what ends a line. */
const parameter = new RegExp(`^\\s*;\\s*(${token})\\s*=\\s*(?:${token}|"(?:\\\\.|[^"\\\\\r\n])*")`);

const contentTypeLengthMax = 1024;

/** What is wrong with the media type itself, as Go's mime package says it. */
function mediaTypeFault(mediaType: string): string | undefined {
  const type = leadingToken.exec(mediaType)?.[0] ?? '';
  if (type === '') return 'mime: no media type';
  const rest = mediaType.slice(type.length);
  if (rest === '') return undefined;
  if (!rest.startsWith('/')) return 'mime: expected slash after first token';
  const subtype = leadingToken.exec(rest.slice(1))?.[0] ?? '';
  if (subtype === '') return 'mime: expected token after slash';
  return rest.length > subtype.length + 1 ? 'mime: unexpected content after media subtype' : undefined;
}

function parametersFault(text: string): string | undefined {
  const seen = new Set<string>();
  let rest = text;
  while (rest.trim() !== '' && rest.trim() !== ';') {
    const found = parameter.exec(rest);
    if (found === null) return 'mime: invalid media parameter';
    const name = String(found[1]).toLowerCase();
    if (seen.has(name)) return 'mime: duplicate parameter name';
    seen.add(name);
    rest = rest.slice(found[0].length);
  }
  return undefined;
}

/** The format of a response. Throws ScrapeError when there is none and no fallback. */
export function expositionFormat(
  contentType: string,
  fallback: ScrapeProtocol | undefined,
): ExpositionFormat {
  const shown = quoteGo(contentType.slice(0, contentTypeLengthMax));
  const [first = ''] = contentType.split(';', 1);
  const mediaType = first.trim().toLowerCase();
  const fault =
    contentType.length > contentTypeLengthMax
      ? 'mime: invalid media parameter'
      : (mediaTypeFault(mediaType) ?? parametersFault(contentType.slice(first.length)));
  const format = fault === undefined ? formatByMediaType[mediaType] : undefined;
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
    fault === undefined
      ? `received unsupported Content-Type ${shown} and no fallback_scrape_protocol specified for target`
      : `cannot parse Content-Type ${shown} and no fallback_scrape_protocol for target\n${fault}`,
  );
}
