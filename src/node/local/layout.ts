/** Where the nodes of a local cluster listen and keep their data: everything follows from the base port and the folder. */
import { join } from 'node:path';

export interface LocalOptions {
  readonly nodes: number;
  readonly basePort: number;
  readonly dataPath: string;
  /** The user's own configuration; undefined for the built-in one that scrapes the cluster itself. */
  readonly configFile: string | undefined;
  readonly alertmanagerConfigFile: string | undefined;
  /** Further arguments for every node, as given. */
  readonly extraArguments: readonly string[];
}

export interface LocalNode {
  readonly id: string;
  readonly httpPort: number;
  readonly alertmanagerPort: number;
  readonly grpcPort: number;
  readonly dataPath: string;
  readonly logFile: string;
}

/** Ports of neighbours are this far apart, so that each node has its own hundred. */
const portsPerNode = 100;
const alertmanagerOffset = 3;
const grpcOffset = 6;

export function localNodes({ nodes, basePort, dataPath }: LocalOptions): LocalNode[] {
  return Array.from({ length: nodes }, (_, index) => {
    const id = `node-${index + 1}`;
    const httpPort = basePort + index * portsPerNode;
    return {
      id,
      httpPort,
      alertmanagerPort: httpPort + alertmanagerOffset,
      grpcPort: httpPort + grpcOffset,
      dataPath: join(dataPath, id),
      logFile: join(dataPath, `${id}.log`),
    };
  });
}

/** The arguments of `torchring` that start one of them. */
export function nodeArguments(node: LocalNode, all: readonly LocalNode[], options: LocalOptions): string[] {
  const configFile = options.configFile ?? join(options.dataPath, 'prometheus.yml');
  const alertmanager =
    options.alertmanagerConfigFile === undefined
      ? []
      : [`--alertmanager.config.file=${options.alertmanagerConfigFile}`];
  return [
    'node',
    `--node.id=${node.id}`,
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${node.dataPath}`,
    `--web.listen-address=127.0.0.1:${node.httpPort}`,
    `--alertmanager.listen-address=127.0.0.1:${node.alertmanagerPort}`,
    '--cluster.name=local',
    `--cluster.listen-address=127.0.0.1:${node.grpcPort}`,
    `--cluster.expect=${all.length}`,
    ...all.filter((other) => other !== node).map((other) => `--cluster.join=127.0.0.1:${other.grpcPort}`),
    '--web.enable-lifecycle',
    '--web.enable-remote-write-receiver',
    ...alertmanager,
    ...options.extraArguments,
  ];
}

/** A prometheus.yml that has the cluster scrape itself. */
export function selfScrapeConfig(all: readonly LocalNode[]): string {
  const targets = all.map((node) => `          - localhost:${node.httpPort}`).join('\n');
  return [
    '# Written by "torchring local": the cluster scrapes itself. Give your own with --config.file.',
    'global:',
    '  scrape_interval: 5s',
    '  evaluation_interval: 5s',
    '',
    'scrape_configs:',
    '  - job_name: torchring',
    '    static_configs:',
    '      - targets:',
    targets,
    '',
  ].join('\n');
}
