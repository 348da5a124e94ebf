// Files that a configuration names for its credentials and certificates: `torchring check config` says of those
// which promtool looks at whether they are there. What is in them is read when they are used.
import { stat } from 'node:fs/promises';
import type { HttpClientConfig } from '../model/index.ts';
import type { PrometheusConfig } from './config.ts';
import { fileProblem } from './config_files.ts';

export interface FileProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface NamedFile {
  readonly path: readonly (string | number)[];
  /** What the file is, in promtool's words. */
  readonly what: string;
  readonly file: string;
}

/** One problem for each file that is not there or may not be asked for, in the order of the configuration. */
export async function missingFiles(config: PrometheusConfig): Promise<readonly FileProblem[]> {
  const problems: FileProblem[] = [];
  for (const { path, what, file } of namedFiles(config)) {
    if (file === '') continue;
    const reason = await problemWith(file);
    if (reason !== undefined) problems.push({ path, message: `error checking ${what} "${file}": ${reason}` });
  }
  return problems;
}

async function problemWith(file: string): Promise<string | undefined> {
  try {
    await stat(file);
    return undefined;
  } catch (error) {
    return fileProblem(error);
  }
}

function* namedFiles(config: PrometheusConfig): Generator<NamedFile> {
  for (const [index, job] of config.scrapeConfigs.entries()) {
    const path = ['scrape_configs', index];
    const { authorization } = job.httpClientConfig;
    if (authorization !== undefined) {
      yield {
        path: [...path, 'authorization', 'credentials_file'],
        what: 'authorization credentials or bearer token file',
        file: authorization.credentialsFile,
      };
    }
    yield* tlsFiles(job.httpClientConfig, path);
    for (const discovery of job.serviceDiscoveryConfigs) {
      if (discovery.mechanism !== 'kubernetes') continue;
      yield* tlsFiles(discovery.httpClientConfig, [...path, 'kubernetes_sd_configs']);
    }
  }
}

function* tlsFiles(
  { tlsConfig }: HttpClientConfig,
  path: readonly (string | number)[],
): Generator<NamedFile> {
  const file = (field: string, what: string, name: string): NamedFile => ({
    path: [...path, 'tls_config', field],
    what,
    file: name,
  });
  yield file('cert_file', 'client cert file', tlsConfig.certFile);
  yield file('key_file', 'client key file', tlsConfig.keyFile);
}
