/**
 * Measuring in a fresh process: what another measurement has left behind would count. A bench forks its own file, and the
 * copy sends what it measures: `if (isChild(import.meta.filename)) await answer(measure(...))`. It runs with the flags
 * with which a node runs.
 */
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { nodeFlags } from '../../../bin/launcher.mjs';
import { usageOf } from '../../peers/process.ts';

export function isChild(file: string): boolean {
  return process.argv[1] === file && process.send !== undefined;
}

export const childArguments: readonly string[] = process.argv.slice(2);

/** What the child sends, until it ends. Throws when it ends badly. */
export async function* fromChild<T>(file: string, words: readonly (string | number)[]): AsyncGenerator<T> {
  const child = fork(file, words.map(String), { execArgv: [...nodeFlags] });
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
  try {
    for await (const [message] of on(child, 'message', { close: ['disconnect'] })) yield message as T;
    const [code, signal] = await exit;
    if (code !== 0) throw new Error(`${file} ${words.join(' ')} ended with ${code ?? signal}`);
  } finally {
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}

/** The only thing that the child sends. */
export async function resultOf<T>(file: string, words: readonly (string | number)[]): Promise<T> {
  for await (const result of fromChild<T>(file, words)) return result;
  throw new Error(`${file} ${words.join(' ')} sent nothing`);
}

/** In the child: sends all of `results`, then lets go of the channel, so that the process can end. */
export async function answer(results: AsyncIterable<unknown>): Promise<void> {
  for await (const result of results) {
    await new Promise<void>((resolve, reject) => {
      process.send?.(result, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
    });
  }
  process.disconnect?.();
}

/** In the child: collects all garbage, and gives the memory back. */
export function collectGarbage(): void {
  for (let i = 0; i < 3; i++) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** In the child: resident bytes without garbage. */
export function residentBytes(): number {
  collectGarbage();
  return usageOf(process.pid).residentBytes;
}
