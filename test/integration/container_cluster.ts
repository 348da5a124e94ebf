/** A cluster of containers on a network of their own, with exporters and a webhook receiver beside it, for the scenario. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { type Received, received } from '../scenario/api.ts';
import { freePorts } from '../scenario/child.ts';
import {
  type ScenarioCluster,
  type ScenarioExporter,
  type ScenarioNode,
  scenarioConfig,
} from '../scenario/main_job.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const companionSource = readFileSync(new URL('../scenario/companion.ts', import.meta.url), 'utf8');
/** With its own ending: outside of a package only that says what kind of module it is. */
const companionPath = '/tmp/companion.mts';

const image = 'torchring-integration-test';
const nodeIds = ['node-1', 'node-2', 'node-3'];
const exporterNames = ['exporter-1', 'exporter-2'];
const hookName = 'hook';
const companionPort = 8080;
const httpPort = 9090;
const grpcPort = 7946;
const configPath = '/etc/torchring/scenario';
const stopOptions = { remove: true, removeVolumes: true, timeout: 20_000 };
const logLinesMax = 60;

class ContainerNode implements ScenarioNode {
  readonly id: string;
  readonly url: string;
  readonly externalUrl: string;
  readonly #client: ContainerRuntimeClient;
  readonly #container: StartedTestContainer;

  /** `hostPort` is fixed, so that the node is where it was after a restart. */
  constructor(id: string, client: ContainerRuntimeClient, container: StartedTestContainer, hostPort: number) {
    this.id = id;
    this.url = `http://${container.getHost()}:${hostPort}`;
    this.externalUrl = externalUrlOf(id);
    this.#client = client;
    this.#container = container;
  }

  async kill(): Promise<void> {
    await this.#client.container.getById(this.#container.getId()).kill();
  }

  async start(): Promise<void> {
    await this.#client.container.getById(this.#container.getId()).start();
  }
}

/** The engine sends its log in frames: stream, three bytes of nothing, length, text. */
function plainLog(frames: Buffer): string {
  const headerBytes = 8;
  const texts: string[] = [];
  for (let at = 0; at + headerBytes <= frames.length; ) {
    const end = at + headerBytes + frames.readUInt32BE(at + 4);
    texts.push(frames.toString('utf8', at + headerBytes, end));
    at = end;
  }
  return texts.join('');
}

const externalUrlOf = (id: string): string => `http://${id}:${httpPort}`;

class ContainerExporter implements ScenarioExporter {
  readonly instance: string;
  readonly #container: StartedTestContainer;

  constructor(name: string, container: StartedTestContainer) {
    this.instance = `${name}:${companionPort}`;
    this.#container = container;
  }

  async stop(): Promise<void> {
    await this.#container.stop(stopOptions);
  }
}

export class ContainerCluster implements ScenarioCluster {
  readonly #client: ContainerRuntimeClient;
  readonly #containers = new Map<string, StartedTestContainer>();
  #network: StartedNetwork | undefined;
  nodes: readonly ContainerNode[] = [];
  exporters: readonly ContainerExporter[] = [];

  /** Builds the image and starts everything; nothing is left when that fails. */
  static async start(client: ContainerRuntimeClient): Promise<ContainerCluster> {
    const cluster = new ContainerCluster(client);
    try {
      await cluster.#start();
    } catch (error) {
      process.stderr.write(`${await cluster.logs()}\n`);
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  private constructor(client: ContainerRuntimeClient) {
    this.#client = client;
  }

  async #start(): Promise<void> {
    await GenericContainer.fromDockerfile(root).build(image, { deleteOnExit: false });
    const network = await new Network().start();
    this.#network = network;
    const companions = [hookName, ...exporterNames];
    await Promise.all(companions.map((name) => this.#startCompanion(name, network)));
    this.exporters = exporterNames.map((name) => new ContainerExporter(name, this.#container(name)));
    const ports = await freePorts(nodeIds.length);
    const hostPort = (index: number): number => ports[index] ?? 0;
    await Promise.all(nodeIds.map((id, index) => this.#startNode(id, hostPort(index), network)));
    this.nodes = nodeIds.map((id, index) => {
      return new ContainerNode(id, this.#client, this.#container(id), hostPort(index));
    });
  }

  #container(name: string): StartedTestContainer {
    const container = this.#containers.get(name);
    if (container === undefined) throw new Error(`${name} has not started`);
    return container;
  }

  async #startCompanion(name: string, network: StartedNetwork): Promise<void> {
    const container = await new GenericContainer(image)
      .withNetwork(network)
      .withNetworkAliases(name)
      .withCopyContentToContainer([{ content: companionSource, target: companionPath }])
      .withEntrypoint(['node'])
      .withCommand([companionPath, String(companionPort), '0.0.0.0'])
      .withExposedPorts(companionPort)
      .withWaitStrategy(Wait.forHttp('/metrics', companionPort))
      .start();
    this.#containers.set(name, container);
  }

  async #startNode(id: string, hostPort: number, network: StartedNetwork): Promise<void> {
    const instances = exporterNames.map((name) => `${name}:${companionPort}`);
    const selfTargets = nodeIds.map((other) => `${other}:${httpPort}`);
    const config = scenarioConfig(instances, selfTargets, `${hookName}:${companionPort}`);
    const container = await new GenericContainer(image)
      .withNetwork(network)
      .withNetworkAliases(id)
      .withCopyContentToContainer([
        { content: config.prometheus, target: `${configPath}/prometheus.yml` },
        { content: config.rules, target: `${configPath}/rules.yml` },
        { content: config.alertmanager, target: `${configPath}/alertmanager.yml` },
      ])
      .withCommand([
        'node',
        `--node.id=${id}`,
        `--config.file=${configPath}/prometheus.yml`,
        `--alertmanager.config.file=${configPath}/alertmanager.yml`,
        '--storage.tsdb.path=/data',
        `--web.external-url=${externalUrlOf(id)}`,
        '--cluster.name=integration',
        `--cluster.expect=${nodeIds.length}`,
        ...nodeIds.filter((other) => other !== id).map((other) => `--cluster.join=${other}:${grpcPort}`),
      ])
      .withExposedPorts({ container: httpPort, host: hostPort })
      .withWaitStrategy(Wait.forHttp('/-/healthy', httpPort))
      .start();
    this.#containers.set(id, container);
  }

  received(): Promise<readonly Received[]> {
    const hook = this.#container(hookName);
    return received(`http://${hook.getHost()}:${hook.getMappedPort(companionPort)}`);
  }

  /** The ends of the nodes' logs. */
  async logs(): Promise<string> {
    const parts: string[] = [];
    for (const id of nodeIds) {
      const container = this.#containers.get(id);
      if (container === undefined) continue;
      const engineContainer = this.#client.container.getById(container.getId());
      const options = { follow: false, stdout: true, stderr: true, tail: logLinesMax } as const;
      parts.push(`--- ${id}`, plainLog(await engineContainer.logs(options)));
    }
    return parts.join('\n');
  }

  /** Removes containers, their volumes, the network and the image. */
  async close(): Promise<void> {
    await Promise.all([...this.#containers.values()].map((container) => container.stop(stopOptions)));
    await this.#network?.stop();
    await this.#client.container.dockerode.getImage(image).remove({ force: true });
  }
}
