// What the decoders of alertmanager.yml share: its URLs, and integrations that wait for `global` to inherit
// from it.
import {
  type Decoder,
  decode,
  type Fields,
  type HttpClientConfig,
  httpClient,
  parseGoUrl,
  type Report,
} from '../model/index.ts';
import type { NotifierConfig } from './config_receivers.ts';
import type { AlertmanagerGlobalConfig } from './config_types.ts';

const { field, bool } = decode;

/** What a redacted file shows in place of a secret; read back it must not be an error. */
const redacted = '<secret>';

/** Throws an Error when the text is no http or https URL with a host. */
function checkUrl(text: string): void {
  const { scheme, host } = parseGoUrl(text);
  if (scheme !== 'http' && scheme !== 'https') throw new Error(`unsupported scheme "${scheme}" for URL`);
  if (host === '') throw new Error('missing host for URL');
}

/** An http or https URL; null leaves it empty. */
export const httpUrl: Decoder<string> = decode.fromText('', (text) => {
  checkUrl(text);
  return text;
});

/** Like httpUrl, but not to be shown. */
export const secretUrl: Decoder<string> = decode.hidden(
  decode.fromText('', (text) => {
    if (text !== redacted) checkUrl(text);
    return text;
  }),
);

/** Whether the text is meant as a template, by Alertmanager's rule. */
export function isTemplated(text: string): boolean {
  return text.includes('{{');
}

/** A URL that may be a template, which `validateTemplate` then checks. Not to be shown. */
export function templateUrl(validateTemplate: (text: string) => string | undefined): Decoder<string> {
  return decode.hidden(
    decode.fromText('', (text) => {
      if (text === '' || text === redacted) return text;
      if (!isTemplated(text)) {
        checkUrl(text);
        return text;
      }
      const problem = validateTemplate(text);
      if (problem !== undefined) throw new Error(`invalid template syntax: ${problem}`);
      return text;
    }),
  );
}

/** The URL with a slash at the end of its path. */
export function withSlash(url: string): string {
  return url === '' || url.endsWith('/') ? url : `${url}/`;
}

/** Something that must still inherit from `global`. Problems are reported at its own lines. */
export interface Pending<T> {
  readonly resolve: (global: AlertmanagerGlobalConfig) => T;
}

/** An integration as written: its HTTP client may be left to `global`. */
export type Own<T extends NotifierConfig> = Omit<T, 'httpConfig'> & {
  readonly httpConfig: HttpClientConfig | undefined;
};

export type Inherit<T extends NotifierConfig> = (
  own: Own<T>,
  global: AlertmanagerGlobalConfig,
  report: Report,
) => Own<T>;

const ownHttpClient = decode.optional(httpClient());

/** An integration's decoder: its own fields, what must hold in them, and what it takes from `global`. */
export function integration<T extends NotifierConfig>(options: {
  readonly sendResolved: boolean;
  readonly fields: Fields<Omit<T, keyof NotifierConfig>>;
  readonly check?: (own: Own<T>, report: Report) => void;
  readonly inherit?: Inherit<T>;
}): Decoder<Pending<T>> {
  const { check, inherit } = options;
  // Omit and intersection of a type parameter are beyond what the compiler can follow.
  const fields = {
    sendResolved: field('send_resolved', bool, options.sendResolved),
    httpConfig: field('http_config', ownHttpClient),
    ...options.fields,
  } as unknown as Fields<Own<T>>;
  return decode.section<Own<T>, Pending<T>>(fields, (own, report) => {
    check?.(own, report);
    return {
      resolve(global) {
        const full = inherit === undefined ? own : inherit(own, global, report);
        return { ...full, httpConfig: full.httpConfig ?? global.httpConfig } as unknown as T;
      },
    };
  });
}

/** Reports when both are given. */
export function atMostOne(a: string, b: string, names: string, report: Report): void {
  if (a !== '' && b !== '') report(`at most one of ${names} must be configured`);
}

/** Reports unless exactly one is given. */
export function exactlyOne(a: string, b: string, aName: string, bName: string, report: Report): void {
  if (a === '' && b === '') report(`one of ${aName} or ${bName} must be configured`);
  atMostOne(a, b, `${aName} & ${bName}`, report);
}
