/** `torchring node`. */
import type { ParsedNodeFlags } from './flags.ts';

/** Runs a node until it is stopped; resolves with the process' exit code. */
export function runNode(flags: ParsedNodeFlags): Promise<number> {
  return Promise.reject(new Error(`no node can be run yet (${flags.configFile})`));
}
