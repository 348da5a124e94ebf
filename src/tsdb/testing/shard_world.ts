/**
 * A store of two shards on a disk that fails on demand, beside what each of its shards may hold. Runs commands against
 * both and asserts that every verdict and every answer is one that is possible.
 */
import assert from 'node:assert/strict';
import type { OpenEngine } from '../engine.ts';
import type { ShardStore } from '../shard/shard_store.ts';
import { SampleVerdict } from '../shard/verdicts.ts';
import { ManualClock } from './fixtures.ts';
import { MemoryDisk } from './memory_engine.ts';
import { type NaiveAppend, type NaiveSample, NaiveShard, type ReadSample } from './naive_store.ts';
import { PossibleStates } from './possible_states.ts';
import { checkAnswers, type KnownSeries } from './query_check.ts';
import { readAll } from './read_back.ts';
import { Sender } from './sample_sender.ts';
import {
  beginMs,
  type Command,
  hourMs,
  labelSets,
  matchersOf,
  type Query,
  type SampleSpec,
  type Scenario,
  type Step,
  tickMs,
  type Work,
} from './shard_commands.ts';
import { TroubledDisk } from './troubled_engine.ts';
import { assertDiskTrouble, checkCounts, heard, know } from './world_support.ts';

export const modelWindowMs: number = 2 * hourMs;
const dayMs: number = 24 * hourMs;
/** The numbers of the two shards. */
const shardNumbers = [3, 0xfffe];
/** Real time in which a store must notice that its disk is well again; a real engine takes a while to open. */
const recoveryMs = 20_000;
/** Steps of virtual time meanwhile: more than the longest pause between two attempts to write. */
const recoveryStepsMax = 40;

export interface OpenedStore {
  openShard(shard: number): Promise<ShardStore>;
  listShards(): Promise<number[]>;
  maintain(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreConditions {
  readonly openEngine: OpenEngine;
  readonly clock: ManualClock;
  readonly fsync: 'always' | 'interval' | 'os';
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly outOfOrderWindowMs: number;
}

export interface Ground {
  readonly path: string;
  readonly openEngine: OpenEngine;
  /** What can lose what was not synced; undefined: a disk that is closed in good order instead of crashing. */
  readonly memory: MemoryDisk | undefined;
  readonly openStore: (path: string, conditions: StoreConditions) => Promise<OpenedStore>;
}

interface ShardTrack {
  readonly states: PossibleStates;
  readonly known: Map<string, KnownSeries>;
  sender: Sender;
  lastAppendMs: number;
}

export class ShardWorld {
  readonly #ground: Ground;
  readonly #scenario: Scenario;
  readonly #disk: TroubledDisk;
  readonly #clock: ManualClock = new ManualClock(beginMs + 12 * hourMs);
  readonly #tracks: readonly ShardTrack[];
  #store: OpenedStore | undefined;
  /** Nothing is known to be wrong with the disk, and nothing is under way. */
  #isSettled = true;

  constructor(ground: Ground, scenario: Scenario) {
    this.#ground = ground;
    this.#scenario = scenario;
    this.#disk = new TroubledDisk(ground.openEngine);
    const { outOfOrderWindowMs, retentionMs } = scenario;
    const rules = { windowMs: modelWindowMs, outOfOrderWindowMs, retentionMs };
    this.#tracks = shardNumbers.map(() => ({
      states: new PossibleStates(this.#disk, new NaiveShard(rules)),
      known: new Map(),
      sender: new Sender(labelSets),
      lastAppendMs: this.#clock.nowMs(),
    }));
  }

  async run(): Promise<void> {
    await this.#open();
    for (const [command, query] of this.#scenario.commands) {
      await this.#command(command);
      this.#isSettled = true;
      for (const shard of shardNumbers.keys()) await this.#check(shard, query);
    }
    await this.#deleteEverything();
    await this.#store?.close();
  }

  async #command(command: Command): Promise<void> {
    switch (command.kind) {
      case 'pass':
        return this.#pass(command.ticks * tickMs);
      case 'reopen':
        return this.#reopen();
      case 'crash':
        return this.#crash(command.isPowerCut);
      case 'fullDisk':
        return this.#fullDisk(command);
      case 'unreadable':
        return this.#unreadable(command);
      case 'meanwhile':
        return this.#meanwhile(command);
      case 'handOver':
        return this.#handOver(command.shard, command.samplesMax);
      case 'copy':
        return this.#compareCopy(
          await this.#copyOf(command.shard, await this.#shard(command.shard)),
          command.shard,
        );
      case 'maintain':
      case 'sealNow':
      case 'deleteAll':
        return this.#work(command);
      default:
        return this.#step(command);
    }
  }

  // --- steps and work ---

  async #step(step: Step): Promise<void> {
    if (step.kind === 'append') return this.#append(step.shard, step.samples, step.epoch, step.merge);
    if (step.kind === 'read') {
      await this.#observe(step.shard);
      return;
    }
    if (step.kind === 'scrapes') {
      for (let i = 0; i < step.count; i++) {
        this.#pass(step.ticks * tickMs);
        const samples = [...labelSets.keys()].filter((series) => (step.mask >> series) & 1);
        const specs = samples.map((series) => ({ series, back: 0, value: step.value, start: 0 }));
        await this.#append(step.shard, specs, step.epoch, false);
      }
      return;
    }
    await this.#delete(step);
  }

  async #delete(step: Extract<Step, { kind: 'delete' }>): Promise<void> {
    const [fromMs, toMs] = this.#range(step);
    const matchers = matchersOf(step.matchers);
    const change = (state: NaiveShard): void => state.delete(matchers, fromMs, toMs);
    const deleting = heard((await this.#shard(step.shard)).delete(matchers, fromMs, toMs));
    const read = step.isHeldOpen ? await heard(this.#readDeleted(step.shard, change)) : undefined;
    const end = await deleting;
    if ('error' in end) throw end.error;
    if (read !== undefined && 'error' in read) throw read.error;
    this.#track(step.shard).states.change((state) => {
      change(state);
      return [state];
    });
  }

  /** Reads a shard that is as it was, or as a change that is under way makes it; never something between. */
  async #readDeleted(shard: number, change: (state: NaiveShard) => void): Promise<void> {
    const read = await readAll(await this.#shard(shard));
    this.#drift(shard);
    const contradictions = this.#track(shard).states.all.flatMap((state) => {
      const copy = state.clone();
      change(copy);
      return [state.contradiction(read), copy.contradiction(read)];
    });
    assert.ok(contradictions.includes(undefined), `while it is being deleted: ${contradictions[0]}`);
  }

  async #append(shard: number, specs: readonly SampleSpec[], epoch: number, merge: boolean): Promise<void> {
    const track = this.#track(shard);
    const samples = track.sender.samples(specs, this.#nowTick());
    const nowMs = this.#clock.nowMs();
    const batch = track.sender.batch(specs, this.#nowTick(), merge);
    const outcome = await (await this.#shard(shard)).append(batch, { epoch, nowMs, bypassOutOfOrder: merge });
    if (outcome.appended > 0) track.lastAppendMs = nowMs;
    this.#drift(shard);
    const verdicts = Array.from(outcome.verdicts ?? new Uint8Array(samples.length));
    checkCounts(outcome, verdicts);
    let fault: string | undefined;
    track.states.change((state) => {
      const wrong = state.append(samples, verdicts, { epoch, nowMs, merge });
      fault ??= wrong;
      return wrong === undefined ? [state] : [];
    });
    assert.ok(track.states.all.length > 0, `${fault}`);
    for (const [i, sample] of samples.entries())
      if (verdicts[i] === SampleVerdict.ok) know(track.known, sample);
    this.#drift(shard);
  }

  async #work(work: Work): Promise<void> {
    if (work.kind === 'deleteAll') {
      await (await this.#shard(work.shard)).deleteAll();
      this.#track(work.shard).states.change((state) => {
        state.clear();
        return [state];
      });
      return;
    }
    const finish = this.#expectWork(work);
    await this.#startWork(work);
    finish();
  }

  async #startWork(work: Work): Promise<void> {
    if (work.kind === 'maintain') {
      for (const i of shardNumbers.keys()) await (await this.#shard(i)).maintain(this.#clock.nowMs());
      return this.#opened().maintain();
    }
    const shard = await this.#shard(work.shard);
    return work.kind === 'sealNow' ? shard.sealNow() : shard.deleteAll();
  }

  /** Lets the model know what is about to happen; gives what lets it know that it has. */
  #expectWork(work: Exclude<Work, { kind: 'deleteAll' }>): () => void {
    const isForced = work.kind === 'sealNow';
    const retainedMs = this.#clock.nowMs() - this.#scenario.retentionMs;
    const finishes: (() => void)[] = [];
    for (const [i, { states }] of this.#tracks.entries()) {
      if (isForced && i !== work.shard) continue;
      this.#drift(i);
      const sure = Math.min(...states.all.map((state) => state.sureFloor(isForced)));
      const newest = Math.max(...states.all.map(({ newestEverMs }) => newestEverMs));
      const mostMs = (Math.floor(newest / modelWindowMs) + 1) * modelWindowMs;
      if (isForced) states.drift((state) => state.beginSealing(mostMs));
      finishes.push(() => {
        for (const state of states.all) {
          state.endSealing(sure);
          if (!isForced) state.expired(Math.floor(retainedMs / dayMs) * dayMs);
        }
      });
    }
    return () => {
      for (const finish of finishes) finish();
    };
  }

  #pass(ms: number): void {
    this.#clock.advance(ms);
  }

  // --- troubles ---

  async #fullDisk({ writes, change, end }: Extract<Command, { kind: 'fullDisk' }>): Promise<void> {
    await this.#settle();
    this.#isSettled = false;
    this.#disk.writesLeft = writes;
    const ended = await heard(this.#tryChange(change));
    if ('error' in ended) assertDiskTrouble(ended.error);
    for (const shard of shardNumbers.keys()) await this.#observe(shard);
    if (end === 'recover') await this.#recover();
    else await this.#crash(end === 'powerCut');
  }

  /** A change that fails may have been made all the same. */
  async #tryChange(change: Step | Work): Promise<void> {
    try {
      if (change.kind === 'maintain' || change.kind === 'sealNow') {
        this.#expectWork(change);
        await this.#startWork(change);
        return;
      }
      if (change.kind === 'deleteAll') await this.#work(change);
      else await this.#step(change);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      this.#mayHave(change);
      throw error;
    }
  }

  #mayHave(change: Step | Work): void {
    if (change.kind === 'maintain' || change.kind === 'sealNow' || change.kind === 'read') return;
    const { states, sender, known } = this.#track(change.shard);
    const nowMs = this.#clock.nowMs();
    states.change((state) => {
      const other = state.clone();
      if (change.kind === 'deleteAll') {
        other.clear();
      } else if (change.kind === 'delete') {
        const [fromMs, toMs] = this.#range(change);
        other.delete(matchersOf(change.matchers), fromMs, toMs);
      } else {
        const { options, samples } = this.#lastBatch(change, sender, nowMs);
        other.appendUnheard(samples, options);
        for (const sample of samples) know(known, sample);
      }
      return [state, other];
    });
  }

  #lastBatch(
    change: Extract<Step, { kind: 'append' | 'scrapes' }>,
    sender: Sender,
    nowMs: number,
  ): { options: NaiveAppend; samples: NaiveSample[] } {
    if (change.kind === 'append') {
      const { epoch, merge } = change;
      return { options: { epoch, merge, nowMs }, samples: sender.samples(change.samples, this.#nowTick()) };
    }
    const specs = [...labelSets.keys()]
      .filter((series) => (change.mask >> series) & 1)
      .map((series) => ({ series, back: 0, value: change.value, start: 0 }));
    const options = { epoch: change.epoch, merge: false, nowMs };
    return { options, samples: sender.samples(specs, this.#nowTick()) };
  }

  async #recover(): Promise<void> {
    this.#disk.repair();
    const empty = new Sender(labelSets).batch([], 0, true);
    const endMs = performance.now() + recoveryMs;
    for (let i = 0; performance.now() < endMs; i++) {
      const probes = shardNumbers.map(async (_, shard) =>
        (await this.#shard(shard)).append(empty, { epoch: 1, nowMs: this.#clock.nowMs() }),
      );
      const ends = await Promise.all(probes.map(heard));
      if (ends.every((end) => 'value' in end)) return this.#settle();
      for (const end of ends) if ('error' in end) assertDiskTrouble(end.error);
      if (i < recoveryStepsMax) this.#clock.advance(30_000);
      await new Promise((done) => setImmediate(done));
    }
    assert.fail('the store does not notice that its disk is well');
  }

  async #unreadable({ reads, change }: Extract<Command, { kind: 'unreadable' }>): Promise<void> {
    await this.#settle();
    this.#isSettled = false;
    if (change.kind === 'reopen') await this.#close();
    this.#disk.readsLeft = reads;
    const ended = await heard(this.#tryReading(change));
    this.#disk.repair();
    if ('error' in ended && ended.error instanceof assert.AssertionError) throw ended.error;
    if (change.kind === 'reopen') {
      if (this.#store !== undefined) await this.#close();
      await this.#open();
    } else await this.#recover();
  }

  async #tryReading(change: Extract<Command, { kind: 'unreadable' }>['change']): Promise<void> {
    if (change.kind === 'reopen') {
      await this.#open();
      for (const shard of shardNumbers.keys()) await this.#shard(shard);
    } else if (change.kind === 'read') await this.#observe(change.shard);
    else if (change.kind === 'deleteAll') await this.#tryChange(change);
    else {
      this.#expectWork(change);
      await this.#startWork(change);
    }
  }

  async #meanwhile({ work, steps }: Extract<Command, { kind: 'meanwhile' }>): Promise<void> {
    if (work.kind === 'deleteAll') return this.#work(work);
    this.#isSettled = false;
    if (work.kind === 'snapshot') {
      const shard = await this.#shard(work.shard);
      const before = this.#track(work.shard).states.all.map((state) => state.clone());
      const copied = await this.#copyOf(work.shard, shard, steps);
      const contradictions = before.map((state) => {
        state.expire(this.#clock.nowMs() - this.#scenario.retentionMs);
        return state.contradiction(copied);
      });
      assert.ok(contradictions.includes(undefined), `the copy: ${contradictions[0]}`);
      return;
    }
    const finish = this.#expectWork(work);
    const working = heard(this.#startWork(work));
    for (const step of steps) await this.#step(step);
    const end = await working;
    if ('error' in end) throw end.error;
    finish();
  }

  // --- opening and closing ---

  async #open(): Promise<void> {
    const { path, openStore } = this.#ground;
    const { fsync, retentionMs, retentionBytes, outOfOrderWindowMs } = this.#scenario;
    const openEngine = this.#disk.ownedEngine();
    const clock = this.#clock;
    const conditions = { openEngine, clock, fsync, retentionMs, retentionBytes, outOfOrderWindowMs };
    this.#store = await openStore(path, conditions);
    for (const track of this.#tracks) {
      track.states.drift((state) => state.reopened());
      track.sender = new Sender(labelSets);
    }
  }

  async #close(): Promise<void> {
    await this.#opened().close();
    this.#store = undefined;
    for (const { states } of this.#tracks) states.settled();
  }

  async #reopen(): Promise<void> {
    await this.#close();
    await this.#open();
  }

  async #crash(isPowerCut: boolean): Promise<void> {
    const { memory } = this.#ground;
    if (memory === undefined) {
      // A real disk's engine must let go of its files.
      this.#disk.repair();
      await this.#reopen();
      return;
    }
    this.#disk.kill();
    this.#disk.repair();
    if (isPowerCut) {
      memory.cutPower();
      this.#disk.unsynced = 0;
      for (const { states } of this.#tracks) states.powerCut();
    }
    await this.#open();
  }

  /** Lets background work end, so that a trouble meets only what it is meant for. */
  async #settle(): Promise<void> {
    for (const shard of shardNumbers.keys()) await this.#observe(shard);
    for (const { states } of this.#tracks) states.settled();
  }

  // --- looking ---

  #drift(shard: number): void {
    const { states } = this.#track(shard);
    const nowMs = this.#clock.nowMs();
    const { retentionMs, retentionBytes } = this.#scenario;
    states.drift((state) => {
      const presentMs = Math.max(state.newestEverMs, nowMs);
      state.beginSealing(Math.floor((presentMs - modelWindowMs / 2) / modelWindowMs) * modelWindowMs);
      state.expire(nowMs - retentionMs);
      state.joined(nowMs - dayMs - modelWindowMs);
      if (retentionBytes > 0) state.expireSealed();
    });
  }

  async #observe(shard: number): Promise<ReadSample[]> {
    const read = await readAll(await this.#shard(shard));
    this.#drift(shard);
    const { states } = this.#track(shard);
    const fault = states.contradiction(read);
    assert.ok(fault === undefined, fault);
    if (this.#isSettled) states.adopt(read);
    return read;
  }

  async #check(shard: number, query: Query): Promise<void> {
    const track = this.#track(shard);
    const [fromMs, toMs] = this.#range(query);
    const store = await this.#shard(shard);
    await checkAnswers(store, {
      query: { matchers: matchersOf(query.matchers), fromMs, toMs, label: query.label },
      known: track.known,
      retainedFromMs: this.#clock.nowMs() - this.#scenario.retentionMs,
      isAllInMemory: () => track.states.all.every(({ isAllInMemory }) => isAllInMemory),
      readAll: () => this.#observe(shard),
    });
  }

  // --- other stores ---

  async #handOver(shard: number, samplesMax: number): Promise<void> {
    const receiver = await this.#emptyStore(new MemoryDisk(), Number.MAX_SAFE_INTEGER / 4);
    const taker = await receiver.openShard(1);
    for await (const batch of (await this.#shard(shard)).export(samplesMax)) {
      assert.ok(batch.refs.length <= samplesMax, `${batch.refs.length} samples in a batch of ${samplesMax}`);
      const options = { epoch: batch.epoch, nowMs: this.#clock.nowMs(), bypassOutOfOrder: true };
      const { tooOld, tooFarInFuture, outOfOrder, limited } = await taker.append(batch, options);
      assert.equal(tooOld + tooFarInFuture + outOfOrder + limited, 0);
    }
    const got = await readAll(taker);
    await receiver.close();
    await this.#observe(shard);
    const fault = this.#track(shard).states.contradiction(got);
    assert.ok(fault === undefined, `what was handed over: ${fault}`);
  }

  /** What another store has that is given a snapshot, while steps are taken after its first entry. */
  async #copyOf(shard: number, store: ShardStore, steps: readonly Step[] = []): Promise<ReadSample[]> {
    const disk = new MemoryDisk();
    await (await this.#emptyStore(disk, this.#scenario.retentionMs)).close();
    const engine = await disk.openEngine('');
    const entries = store.snapshot()[Symbol.asyncIterator]();
    let entry = await entries.next();
    for (const step of steps) await this.#step(step);
    for (; entry.done !== true; entry = await entries.next()) {
      const [key, value] = entry.value;
      await engine.write([{ type: 'put', key, value }], false);
    }
    const copy = await this.#emptyStore(disk, this.#scenario.retentionMs);
    const read = await readAll(await copy.openShard(shardNumbers[shard] as number));
    await copy.close();
    return read;
  }

  async #compareCopy(copied: readonly ReadSample[], shard: number): Promise<void> {
    this.#drift(shard);
    const fault = this.#track(shard).states.contradiction(copied);
    assert.ok(fault === undefined, `the copy: ${fault}`);
  }

  #emptyStore(disk: MemoryDisk, retentionMs: number): Promise<OpenedStore> {
    const { openStore } = this.#ground;
    const { outOfOrderWindowMs } = this.#scenario;
    const conditions: StoreConditions = {
      openEngine: disk.openEngine,
      clock: this.#clock,
      fsync: 'os',
      retentionMs,
      retentionBytes: 0,
      outOfOrderWindowMs,
    };
    return openStore('', conditions);
  }

  async #deleteEverything(): Promise<void> {
    for (const shard of shardNumbers.keys()) {
      await this.#work({ kind: 'deleteAll', shard });
      await this.#observe(shard);
      const { samples, series, windows } = (await this.#shard(shard)).stats();
      assert.deepEqual([samples, series, windows], [0, 0, 0], 'a deleted shard is empty');
    }
    assert.deepEqual(await this.#opened().listShards(), [], 'a deleted shard has nothing on the disk');
  }

  // --- helpers ---

  #opened(): OpenedStore {
    assert.ok(this.#store !== undefined, 'the store is open');
    return this.#store;
  }

  #shard(shard: number): Promise<ShardStore> {
    return this.#opened().openShard(shardNumbers[shard] as number);
  }

  #track(shard: number): ShardTrack {
    return this.#tracks[shard] as ShardTrack;
  }

  #nowTick(): number {
    return Math.floor(this.#clock.nowMs() / tickMs) * tickMs;
  }

  #range({ from, to }: { from: number; to: number }): [number, number] {
    const times = [from, to].map((ticks) =>
      ticks === Number.MAX_SAFE_INTEGER ? Number.NEGATIVE_INFINITY : this.#nowTick() - ticks * tickMs,
    );
    return [Math.min(...times), Math.max(...times)];
  }
}
