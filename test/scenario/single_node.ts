/** A node alone, as a process over a folder of the test's: `prometheus.yml` lies in it, its data and its log come to lie there. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cluster, until } from './api.ts';
import { Child, freePorts } from './child.ts';

const program = fileURLToPath(new URL('../../bin/torchring', import.meta.url));
const leaderDeadlineMs = 60_000;

export interface SingleNode {
  readonly url: string;
  readonly node: Child;
}

/** Starts it and waits until it leads. With the test it ends, and the folder is gone. */
export async function startSingleNode(
  context: TestContext,
  directory: string,
  flags: readonly string[],
): Promise<SingleNode> {
  const [http = 0, grpc = 0, alertmanager = 0] = await freePorts(3);
  const words = [
    program,
    'node',
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=127.0.0.1:${http}`,
    `--alertmanager.listen-address=127.0.0.1:${alertmanager}`,
    `--cluster.listen-address=127.0.0.1:${grpc}`,
    '--web.enable-lifecycle',
    ...flags,
  ];
  const node = new Child('node', words, join(directory, 'node.log'));
  context.after(async () => {
    await node.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  node.start();
  const url = `http://127.0.0.1:${http}`;
  await until('the node leads', leaderDeadlineMs, async () => (await cluster(url)).leader ?? undefined);
  return { url, node };
}
