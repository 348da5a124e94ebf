/** Child processes of a test: their output goes to a file, and they end with the test whatever happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const stopDeadlineMs = 20_000;
/** Of each log, when it is shown. */
const logLinesMax = 60;

/** Free loopback ports, all different: bound together for a moment, so that none is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** One program that can be killed, stopped in order, and started again with the same arguments. */
export class Child {
  readonly name: string;
  readonly #words: readonly string[];
  readonly #logFile: string;
  #process: ChildProcess | undefined;

  /** `words` are the script and its arguments, run by the Node that runs the test. */
  constructor(name: string, words: readonly string[], logFile: string) {
    this.name = name;
    this.#words = words;
    this.#logFile = logFile;
  }

  /** Undefined before the first start. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  start(): void {
    const log = openSync(this.#logFile, 'a');
    this.#process = spawn(process.execPath, this.#words, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; resolves with the exit code, rejects when it does not end in time. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const running = this.#process;
    if (running === undefined) return null;
    if (running.exitCode !== null || running.signalCode !== null) return running.exitCode;
    const exit = once(running, 'exit', { signal: AbortSignal.timeout(stopDeadlineMs) });
    running.kill(signal);
    await exit;
    return running.exitCode;
  }

  /** The end of what it has written so far. */
  logTail(): string {
    const lines = readFileSync(this.#logFile, 'utf8').trimEnd().split('\n');
    return [`--- ${this.name}`, ...lines.slice(-logLinesMax)].join('\n');
  }
}
