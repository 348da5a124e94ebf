/**
 * Finds a Node new enough to run Torchring's TypeScript as it is: the running one if it is 24 or newer,
 * else the one that the `node` package brought (a dev dependency). And says how it is to be started.
 * Plain JavaScript that Node 20 can read.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const nodeMajorMin = 24;
const root = new URL('../', import.meta.url);

/**
 * The young generation of each thread's heap grows in the rush of the start and then stays large for good: it is
 * bounded to a fourth of Node's default. `gc` is for the end of the start.
 */
export const nodeFlags = ['--max-semi-space-size=4', '--expose-gc'];

/** The path of a suitable Node binary, or undefined where there is none. */
export function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) return process.execPath;
  const bundled = fileURLToPath(new URL('node_modules/node/bin/node', root));
  return existsSync(bundled) ? bundled : undefined;
}

/** Flags for Node that neither the command line nor NODE_OPTIONS has in any form. */
export function missingFlags() {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')];
  const names = new Set(given.map((flag) => flag.split('=')[0]?.replaceAll('_', '-')));
  return nodeFlags.filter((flag) => !names.has(flag.split('=')[0]));
}

/** Whether this process can become another program. Windows can't, nor can Node before 22.15. */
export const canReplaceProcess = typeof process.execve === 'function' && process.platform !== 'win32';

export const missingNode = `torchring: needs Node ${nodeMajorMin} or newer, this is ${process.version}; install it, or run "npm ci" in ${fileURLToPath(root)} to get a private copy`;
