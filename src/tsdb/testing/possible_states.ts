/**
 * What one shard may hold: mostly one state; several after a write that failed or a crash, until the shard is read
 * again. Earlier states are kept until a sync, for a power cut may bring any of them back, but never a mixture.
 */
import type { NaiveShard, ReadSample } from './naive_store.ts';
import type { TroubledDisk } from './troubled_engine.ts';

export class PossibleStates {
  readonly #disk: TroubledDisk;
  #now: readonly NaiveShard[];
  /** What may come back. */
  #past: readonly NaiveShard[] = [];
  #syncsSeen: number;

  constructor(disk: TroubledDisk, first: NaiveShard) {
    this.#disk = disk;
    this.#now = [first];
    this.#syncsSeen = disk.syncs;
  }

  get all(): readonly NaiveShard[] {
    return this.#now;
  }

  /** A change that is written, in one: from each state to those that it may have become, of which it gets a copy. */
  change(apply: (state: NaiveShard) => readonly NaiveShard[]): void {
    this.#catchUp();
    const before = this.#now;
    this.#now = before.flatMap((state) => apply(state.clone()));
    if (this.#disk.unsynced === 0) {
      this.#past = [];
      return;
    }
    this.#past = [...this.#past, ...before];
  }

  /** A change that is not written but follows from time and circumstances, in every state that may come back too. */
  drift(apply: (state: NaiveShard) => void): void {
    for (const state of [...this.#now, ...this.#past]) apply(state);
  }

  /** All that was written is on the disk. */
  settled(): void {
    this.#catchUp();
    if (this.#disk.unsynced === 0) this.#past = [];
  }

  powerCut(): void {
    this.#now = [...this.#past, ...this.#now];
    this.#past = [];
    for (const state of this.#now) state.powerCut();
    this.#syncsSeen = this.#disk.syncs;
  }

  /** What is wrong with what was read, if anything. */
  contradiction(read: readonly ReadSample[]): string | undefined {
    const contradictions = this.#now.map((state) => state.contradiction(read));
    if (contradictions.includes(undefined)) return undefined;
    return `${contradictions[0]} (of ${contradictions.length} possible states)`;
  }

  /** What was read, and contradicts no state, is what is; to be called when disk and memory agree. */
  adopt(read: readonly ReadSample[]): void {
    const possible = this.#now.filter((state) => state.contradiction(read) === undefined);
    const [state, ...others] = possible.map((one) => one.clone());
    if (state === undefined) return;
    state.adopt(read);
    for (const other of others) {
      other.adopt(read);
      state.absorb(other);
    }
    this.#now = [state];
  }

  #catchUp(): void {
    if (this.#disk.syncs !== this.#syncsSeen) this.#past = [];
    this.#syncsSeen = this.#disk.syncs;
  }
}
