/**
 * In which form a federating server gets its answer, as client_golang's expfmt negotiates it for /federate: delimited
 * protobuf when it is asked for before plain text, otherwise plain text; never OpenMetrics. Names are escaped as asked.
 */
import { type EscapingScheme, escapingSchemes } from '../../model/index.ts';

export interface FederateFormat {
  readonly type: 'text' | 'protobuf';
  readonly escaping: EscapingScheme;
}

interface Accepted {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const protobufType = 'application/vnd.google.protobuf';
const familyMessage = 'io.prometheus.client.MetricFamily';
/** Far above what any client lists. */
const acceptedMax = 100;

/** The header as its entries, the most wanted first. */
function parseAccept(header: string): Accepted[] {
  const entries = header.split(',', acceptedMax).map((entry) => {
    const [type = '', ...rest] = entry.split(';').map((part) => part.trim());
    const parameters = new Map<string, string>();
    for (const part of rest) {
      const at = part.indexOf('=');
      if (at > 0) parameters.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
    }
    const quality = Number(parameters.get('q') ?? '1');
    return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
  });
  return entries.sort((a, b) => b.quality - a.quality);
}

export function negotiateFederateFormat(accept: string): FederateFormat {
  let escaping: EscapingScheme = 'underscores';
  for (const { type, parameters } of parseAccept(accept)) {
    const asked = escapingSchemes.find((scheme) => scheme === parameters.get('escaping'));
    if (asked !== undefined) escaping = asked;
    const isFamily = type === protobufType && parameters.get('proto') === familyMessage;
    if (isFamily && parameters.get('encoding') === 'delimited') return { type: 'protobuf', escaping };
    const version = parameters.get('version') ?? '';
    if (type === 'text/plain' && (version === '0.0.4' || version === '')) return { type: 'text', escaping };
  }
  return { type: 'text', escaping };
}

export function federateContentType({ type, escaping }: FederateFormat): string {
  return type === 'text'
    ? `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`
    : `${protobufType}; proto=${familyMessage}; encoding=delimited; escaping=${escaping}`;
}
