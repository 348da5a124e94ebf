// The sections of the mechanisms that need no foreign API: targets written in the configuration file, in files
// beside it, behind a URL, or in DNS.
import {
  type Decoder,
  decode,
  type HttpClientConfig,
  httpClient,
  type ObjectDecoder,
  parseGoUrl,
  type Report,
} from '../../model/index.ts';
import { mechanism, minuteMs, secondMs } from './mechanism.ts';
import type { FileSdConfig, StaticGroup } from './static_types.ts';

const { field, string, int, duration, list } = decode;

export interface HttpSdConfig {
  readonly mechanism: 'http';
  readonly url: string;
  readonly refreshIntervalMs: number;
  readonly httpClientConfig: HttpClientConfig;
}

export interface DnsSdConfig {
  readonly mechanism: 'dns';
  readonly names: readonly string[];
  readonly type: 'SRV' | 'A' | 'AAAA' | 'MX' | 'NS';
  /** Not used for SRV. */
  readonly port: number;
  readonly refreshIntervalMs: number;
}

/** A target group as in `static_configs` and in the files of file discovery. */
export const staticGroup: ObjectDecoder<StaticGroup> = decode.object<StaticGroup>({
  targets: field('targets', list(string)),
  labels: field('labels', decode.map(string, decode.labelName)),
});

/** The whole content of a file of file discovery, written as YAML. */
export const staticGroups: Decoder<readonly StaticGroup[]> = list(staticGroup, {
  nullItem: 'empty or null target group',
});

/** What is wrong with a target's address, if anything: a path or URL is no address. */
export function addressProblem(address: string): string | undefined {
  return address.includes('/') ? `"${address}" is not a valid hostname` : undefined;
}

const filePattern = /^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/;

export const fileSd: ObjectDecoder<FileSdConfig> = mechanism<FileSdConfig>(
  'file',
  {
    files: field('files', list(decode.filePath)),
    refreshIntervalMs: field('refresh_interval', duration, 5 * minuteMs),
  },
  ({ files }, report) => {
    if (files.length === 0) {
      report('file service discovery config must contain at least one path name', 'files');
    }
    for (const name of files) {
      if (!filePattern.test(name)) report(`path name "${name}" is not valid for file discovery`, 'files');
    }
  },
);

/** Reports a URL that cannot be fetched over HTTP. */
export function checkHttpUrl(text: string, report: Report): void {
  if (text === '') {
    report('URL is missing', 'url');
    return;
  }
  const { scheme, host } = parseGoUrl(text);
  if (scheme !== 'http' && scheme !== 'https') report("URL scheme must be 'http' or 'https'", 'url');
  else if (host === '') report('host is missing in URL', 'url');
}

export const httpSd: ObjectDecoder<HttpSdConfig> = mechanism<HttpSdConfig>(
  'http',
  {
    url: field('url', decode.url),
    refreshIntervalMs: field('refresh_interval', duration, minuteMs),
    httpClientConfig: decode.inline(httpClient()),
  },
  ({ url }, report) => checkHttpUrl(url, report),
);

const recordTypes = ['SRV', 'A', 'AAAA', 'MX', 'NS'] as const;

/** Any case is taken; null is no record type. */
const recordType: Decoder<DnsSdConfig['type'] | ''> = decode.fromText<DnsSdConfig['type'] | ''>(
  '',
  (text) => {
    const found = recordTypes.find((type) => type === text.toUpperCase());
    if (found === undefined) throw new Error(`invalid DNS-SD records type ${text}`);
    return found;
  },
);

export const dnsSd: ObjectDecoder<DnsSdConfig> = decode.section(
  {
    names: field('names', list(string)),
    type: field<DnsSdConfig['type'] | ''>('type', recordType, 'SRV'),
    port: field('port', int),
    refreshIntervalMs: field('refresh_interval', duration, 30 * secondMs),
  },
  ({ type, ...rest }, report): DnsSdConfig => {
    if (rest.names.length === 0) {
      report('DNS-SD config must contain at least one SRV record name', 'names');
    }
    if (type === '') report('invalid DNS-SD records type', 'type');
    else if (type !== 'SRV' && rest.port === 0) {
      report('a port is required in DNS-SD configs for all record types except SRV', 'port');
    }
    return { mechanism: 'dns', ...rest, type: type === '' ? 'SRV' : type };
  },
);
