/**
 * Finds a Node new enough to run Torchring's TypeScript as it is: the running one if it is 24 or newer,
 * else the one that the `node` package brought (a dev dependency). Plain JavaScript that Node 20 can read.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const nodeMajorMin = 24;
const root = new URL('../', import.meta.url);

/** The path of a suitable Node binary, or undefined where there is none. */
export function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) return process.execPath;
  const bundled = fileURLToPath(new URL('node_modules/node/bin/node', root));
  return existsSync(bundled) ? bundled : undefined;
}

export const missingNode = `torchring: needs Node ${nodeMajorMin} or newer, this is ${process.version}; install it, or run "npm ci" in ${fileURLToPath(root)} to get a private copy`;
