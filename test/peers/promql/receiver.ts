/** A real Prometheus that has nothing of its own, and takes all that is written to it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const usualFeatures = ['promql-experimental-functions', 'promql-duration-expr'];

/** Flags of a node of ours that has the same features, and its data in several threads. */
export function clusterFlags(features: readonly string[] = []): string[] {
  return ['--workers=2', `--enable-feature=${[...usualFeatures, ...features].join(',')}`];
}

/** Its flags, but for the address. `features` are those of queries that are switched on besides the usual ones. */
export function emptyReceiver(directory: string, features: readonly string[] = []): string[] {
  const config = join(directory, 'empty.yml');
  writeFileSync(config, 'global: {}\n');
  return [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'tsdb')}`,
    '--web.enable-remote-write-receiver',
    `--enable-feature=${[...usualFeatures, 'native-histograms', ...features].join(',')}`,
  ];
}
