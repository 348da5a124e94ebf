/** A cluster of child processes on loopback with two exporters and a webhook receiver, as the scenario wants it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Received, received, until } from './api.ts';
import { Child, freePorts } from './child.ts';
import {
  type ScenarioCluster,
  type ScenarioExporter,
  type ScenarioNode,
  scenarioConfig,
} from './main_job.ts';

const program = fileURLToPath(new URL('../../bin/torchring', import.meta.url));
const companion = fileURLToPath(new URL('./companion.ts', import.meta.url));

/** Nodes that a cluster is born with. */
const birthNodes = 3;
const portsPerNode = 3;
const exporterCount = 2;
const companionStartMs = 10_000;

class ProcessNode implements ScenarioNode {
  readonly id: string;
  readonly url: string;
  readonly #child: Child;

  constructor(child: Child, url: string) {
    this.id = child.name;
    this.url = url;
    this.#child = child;
  }

  get externalUrl(): string {
    return this.url;
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  stop(): Promise<number | null> {
    return this.#child.stop();
  }

  start(): Promise<void> {
    this.#child.start();
    return Promise.resolve();
  }
}

class ProcessExporter implements ScenarioExporter {
  readonly instance: string;
  readonly #child: Child;

  constructor(child: Child, instance: string) {
    this.instance = instance;
    this.#child = child;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }

  start(): void {
    this.#child.start();
  }
}

export class ProcessCluster implements ScenarioCluster {
  readonly #path: string;
  readonly #ports: readonly number[];
  readonly #children: Child[] = [];
  readonly #nodes: ProcessNode[] = [];
  readonly exporters: readonly ProcessExporter[];
  readonly #hookAddress: string;

  /** With room for `nodesMax` nodes; three of them start at once. */
  static async start(nodesMax: number): Promise<ProcessCluster> {
    const cluster = new ProcessCluster(await freePorts(nodesMax * portsPerNode + exporterCount + 1));
    try {
      await cluster.#startCompanions();
      for (let i = 0; i < birthNodes; i++) cluster.addNode();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  private constructor(ports: readonly number[]) {
    this.#path = mkdtempSync(join(tmpdir(), 'torchring-scenario-'));
    const [hookPort = 0, ...others] = ports;
    this.#hookAddress = `127.0.0.1:${hookPort}`;
    this.#companion('hook', hookPort);
    this.exporters = others.slice(0, exporterCount).map((port, index) => {
      return new ProcessExporter(this.#companion(`exporter-${index + 1}`, port), `127.0.0.1:${port}`);
    });
    this.#ports = others.slice(exporterCount);
    this.#writeConfig();
  }

  get nodes(): readonly ProcessNode[] {
    return this.#nodes;
  }

  #portOf(index: number, offset: number): number {
    return this.#ports[index * portsPerNode + offset] ?? 0;
  }

  #writeConfig(): void {
    const selfTargets = Array.from(
      { length: birthNodes },
      (_, index) => `127.0.0.1:${this.#portOf(index, 0)}`,
    );
    const instances = this.exporters.map(({ instance }) => instance);
    const config = scenarioConfig(instances, selfTargets, this.#hookAddress);
    writeFileSync(join(this.#path, 'prometheus.yml'), config.prometheus);
    writeFileSync(join(this.#path, 'rules.yml'), config.rules);
    writeFileSync(join(this.#path, 'alertmanager.yml'), config.alertmanager);
  }

  #companion(name: string, port: number): Child {
    const child = new Child(name, [companion, String(port)], join(this.#path, `${name}.log`));
    this.#children.push(child);
    return child;
  }

  async #startCompanions(): Promise<void> {
    for (const child of this.#children) child.start();
    const addresses = [this.#hookAddress, ...this.exporters.map(({ instance }) => instance)];
    for (const address of addresses) {
      await until(
        `${address} answers`,
        companionStartMs,
        async () => (await fetch(`http://${address}/metrics`)).ok || undefined,
      );
    }
  }

  /** Starts one more node, which joins by the first three. */
  addNode(): ProcessNode {
    const index = this.#nodes.length;
    const id = `node-${index + 1}`;
    const url = `http://127.0.0.1:${this.#portOf(index, 0)}`;
    const data = join(this.#path, id);
    mkdirSync(data);
    const words = [program, 'node', ...this.#nodeArguments(index, id, data)];
    const child = new Child(id, words, join(this.#path, `${id}.log`));
    this.#children.push(child);
    const node = new ProcessNode(child, url);
    this.#nodes.push(node);
    child.start();
    return node;
  }

  #nodeArguments(index: number, id: string, data: string): string[] {
    const seeds = Array.from({ length: birthNodes }, (_, seed) => seed).filter((seed) => seed !== index);
    return [
      `--node.id=${id}`,
      `--config.file=${join(this.#path, 'prometheus.yml')}`,
      `--alertmanager.config.file=${join(this.#path, 'alertmanager.yml')}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${this.#portOf(index, 0)}`,
      `--alertmanager.listen-address=127.0.0.1:${this.#portOf(index, 1)}`,
      `--cluster.listen-address=127.0.0.1:${this.#portOf(index, 2)}`,
      '--cluster.name=scenario',
      `--cluster.expect=${birthNodes}`,
      ...seeds.map((seed) => `--cluster.join=127.0.0.1:${this.#portOf(seed, 2)}`),
      '--web.enable-remote-write-receiver',
      // One node with more shard workers than the others, so that both ways of the threads are walked.
      `--workers=${index === 0 ? 2 : 1}`,
    ];
  }

  received(): Promise<readonly Received[]> {
    return received(`http://${this.#hookAddress}`);
  }

  logs(): string {
    return this.#children.map((child) => child.logTail()).join('\n');
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
    rmSync(this.#path, { recursive: true });
  }
}
