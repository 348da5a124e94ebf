/**
 * Passwords against bcrypt hashes, in a thread of its own since one check takes a core for a tenth of a second. Outcomes
 * are kept, so that a client that comes again costs nothing; one that guesses is checked one guess after the other.
 */
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { CodedError } from '../base/index.ts';

/** Outcomes that are remembered. */
const rememberedMax = 200;
/** Checks that wait; further ones are refused. */
const waitingMax = 100;

const entry = new URL('./password_thread.ts', import.meta.url);

/** Loads what the thread would, without starting anything. */
export async function loadPasswordThread(): Promise<void> {
  await import('./password_thread.ts');
}

interface Checked {
  readonly id: number;
  readonly isRight: boolean;
}

/** Of a password that nobody has: who is unknown must not be told apart by the time that it takes. */
const nobodysHash = '$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';

export class PasswordCheck {
  readonly #outcomes = new Map<string, boolean>();
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #waiting = new Map<number, (outcome: boolean | Error) => void>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** `hash`: undefined for a user that is unknown. Rejects with CodedError `unavailable` when too many checks wait. */
  async isRight(user: string, hash: string | undefined, password: string): Promise<boolean> {
    const text = JSON.stringify([user, hash ?? nobodysHash, password]);
    // What is kept in memory tells no password.
    const key = createHash('sha256').update(text).digest('base64');
    const known = this.#outcomes.get(key);
    if (known !== undefined) return known && hash !== undefined;
    const running = this.#running.get(key) ?? this.#check(hash ?? nobodysHash, password);
    this.#running.set(key, running);
    try {
      const isRight = await running;
      this.#remember(key, isRight);
      return isRight && hash !== undefined;
    } finally {
      this.#running.delete(key);
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #remember(key: string, isRight: boolean): void {
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size >= rememberedMax && oldest !== undefined) this.#outcomes.delete(oldest);
    this.#outcomes.set(key, isRight);
  }

  #check(hash: string, password: string): Promise<boolean> {
    if (this.#waiting.size >= waitingMax) {
      throw new CodedError('unavailable', 'too many passwords wait to be checked, try again later');
    }
    const id = ++this.#lastId;
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (outcome) => {
        this.#waiting.delete(id);
        if (typeof outcome === 'boolean') resolve(outcome);
        else reject(outcome);
      });
      worker.postMessage({ id, hash, password });
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(entry);
    // Does not keep a process alive that is done otherwise.
    worker.unref();
    worker.on('message', ({ id, isRight }: Checked) => this.#waiting.get(id)?.(isRight));
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      this.#worker = undefined;
      const gone = new CodedError('unavailable', 'passwords can not be checked right now');
      for (const settle of [...this.#waiting.values()]) settle(gone);
    });
    this.#worker = worker;
    return worker;
  }
}
