// The entry: reads the command line, loads only the code of the command that is asked for, runs it.
import { accessSync, constants, statSync } from 'node:fs';
import { errorText } from '../base/index.ts';
import { type Commands, runCli, usageExitCode } from './cli.ts';
import { FlagError, normalizeArguments, resolveNodeFlags } from './flag_values.ts';
import { version } from './version.ts';

function out(text: string): void {
  process.stdout.write(text);
}

function error(text: string): void {
  process.stderr.write(text);
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const commands: Commands = {
  async node(given) {
    const flags = resolveNodeFlags(given, process.env, isReadable);
    const { runNode } = await import('./node_command.ts');
    return await runNode(flags);
  },
  async local(options) {
    const { runLocal } = await import('./local_command.ts');
    return await runLocal(options);
  },
  async check(kind, files, options) {
    const { runCheck } = await import('./check.ts');
    return await runCheck(kind, files, options, { out, error });
  },
  async explain(options) {
    const { explainQuery } = await import('./query_command.ts');
    return await explainQuery(options, { out, error });
  },
  version() {
    out(`torchring ${version} (node ${process.version})\n`);
  },
};

/** Runs the command of `words` (without program names) and resolves with the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    return await runCli(normalizeArguments(words), commands, { out, error });
  } catch (thrown) {
    if (!(thrown instanceof FlagError)) throw thrown;
    error(`torchring: ${errorText(thrown)}\n`);
    return usageExitCode;
  }
}
