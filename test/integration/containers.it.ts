/** The main job with three containers of the image, where a container engine answers. */
import { test } from 'node:test';
import { getContainerRuntimeClient } from 'testcontainers';
import { runMainJob } from '../scenario/main_job.ts';
import { ContainerCluster } from './container_cluster.ts';

test('three containers do the whole main job', async (context) => {
  const client = await getContainerRuntimeClient().catch((error: unknown) => {
    context.skip(`SKIPPED: no container engine answers, nothing was tested (${String(error)})`);
  });
  if (client === undefined) return;
  const cluster = await ContainerCluster.start(client);
  try {
    await runMainJob(cluster, (line) => context.diagnostic(line));
  } catch (error) {
    process.stderr.write(`${await cluster.logs()}\n`);
    throw error;
  } finally {
    await cluster.close();
  }
});
