/**
 * A process of its own that appends to shard 1 of the folder given as argument and prints the newest time that was
 * acknowledged, one line each, until it is killed.
 */

import { openStoreDirectory } from '../store_directory.ts';
import { batchOf, storeOptions } from './fixtures.ts';

const [path = ''] = process.argv.slice(2);
const directory = await openStoreDirectory(path, storeOptions());
const shard = await directory.openShard(1);
for (let t = 1; ; t++) {
  await shard.append(batchOf([{ __name__: 'up' }, t, t], [{ __name__: 'down' }, t, -t]), {
    epoch: 1,
    nowMs: t,
  });
  process.stdout.write(`${t}\n`);
}
