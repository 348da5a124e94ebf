/** The children of one incarnation, by path, and what happens when the last of them is gone. */
import { nameTakenError } from './errors.ts';

/** What a parent does with a child. */
export interface Child {
  readonly path: string;
  stop(): Promise<void>;
  abandon(): void;
}

export class Children<C extends Child> {
  readonly #byPath: Map<string, C> = new Map();
  #whenGone: (() => void) | undefined = undefined;

  get(path: string): C | undefined {
    return this.#byPath.get(path);
  }

  /** Throws `actor_name_taken`. */
  assertFree(path: string): void {
    if (this.#byPath.has(path)) throw nameTakenError(path);
  }

  add(child: C): void {
    this.#byPath.set(child.path, child);
  }

  /** Stops all; calls `whenGone` when the last has gone, at once if there is none. */
  stopAll(whenGone: () => void): void {
    this.#whenGone = whenGone;
    for (const child of [...this.#byPath.values()]) void child.stop();
    this.#checkGone();
  }

  /** Ends all at once, without waiting for the messages that they are at. */
  abandonAll(): void {
    for (const child of [...this.#byPath.values()]) child.abandon();
  }

  /** A child has stopped. */
  gone(path: string): void {
    this.#byPath.delete(path);
    this.#checkGone();
  }

  #checkGone(): void {
    if (this.#byPath.size > 0 || this.#whenGone === undefined) return;
    const whenGone = this.#whenGone;
    this.#whenGone = undefined;
    whenGone();
  }
}
