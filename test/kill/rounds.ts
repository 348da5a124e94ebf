/**
 * Rounds of killing: a process appends and prints what was acknowledged, is killed with SIGKILL at a random moment (also
 * while it starts and replays, seals, compacts or deletes), and the store is opened to see that every acknowledged sample
 * is there, and right, and that nothing is there beyond what was asked for. The next round goes on in the same folder; every so often it is a new
 * one, since replay takes longer each time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { type Random, silentLogger } from '../../src/base/index.ts';
import { type EngineName, engineNamed, type FsyncPolicy, openStoreDirectory } from '../../src/tsdb/index.ts';
import {
  faultOf,
  killShards,
  outOfOrderWindowMs,
  type ShardKnowledge,
  seriesPerShard,
  stepOf,
  storeRetentionMs,
} from './load.ts';

const appender = fileURLToPath(new URL('./appender.ts', import.meta.url));
const policies: readonly FsyncPolicy[] = ['os', 'interval', 'always'];
/** Rounds in one folder. */
const roundsPerFolder = 10;
/** The kill comes so long after the start of the process, or after its first acknowledgement. */
const startDelayMaxMs = 800;
const writingDelayMaxMs = 250;
/** One round of so many is killed without waiting for the first acknowledgement. */
const earlyKillOneIn = 4;

export interface KillOptions {
  readonly rounds: number;
  readonly engine: EngineName;
  readonly random: Random;
  readonly report?: (round: number, acknowledgedSamples: number) => void;
}

export interface KillResult {
  readonly acknowledgedSamples: number;
  /** Of which kills hit a process that had acknowledged something. */
  readonly killedWhileWriting: number;
  /** Windows that were there when a store was opened again, over all rounds. */
  readonly windowsSeen: number;
}

type Knowledge = ReadonlyMap<number, ShardKnowledge>;

/** Rejects with what is wrong as soon as a round finds a sample missing or wrong, or a store that does not open. */
export async function killRounds({ rounds, engine, random, report }: KillOptions): Promise<KillResult> {
  let acknowledgedSamples = 0;
  let killedWhileWriting = 0;
  let windowsSeen = 0;
  for (let round = 0; round < rounds; ) {
    const path = await mkdtemp(join(tmpdir(), 'torchring-kill-'));
    const known: Knowledge = nothingKnown();
    try {
      for (let i = 0; i < roundsPerFolder && round < rounds; i++, round++) {
        const fsync = policies[round % policies.length] ?? 'os';
        const before = total(known);
        await killOnce([path, engine, fsync], random, known);
        windowsSeen += await check(path, engine, known, `round ${round + 1}, ${fsync}`);
        const gained = total(known) - before;
        if (gained > 0) killedWhileWriting++;
        acknowledgedSamples += gained * seriesPerShard;
        report?.(round + 1, acknowledgedSamples);
      }
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  }
  return { acknowledgedSamples, killedWhileWriting, windowsSeen };
}

function nothingKnown(): Knowledge {
  return new Map(killShards.map((shard) => [shard, { acknowledged: 0, deletionAsked: 0, deletionDone: 0 }]));
}

function total(known: Knowledge): number {
  return [...known.values()].reduce((sum, { acknowledged }) => sum + acknowledged, 0);
}

const fields: ReadonlyMap<string, keyof ShardKnowledge> = new Map([
  ['ack', 'acknowledged'],
  ['ask', 'deletionAsked'],
  ['del', 'deletionDone'],
]);

async function killOnce(words: string[], random: Random, known: Knowledge): Promise<void> {
  const child = spawn(process.execPath, [appender, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const isEarly = random.below(earlyKillOneIn) === 0;
  const kill = async (delayMs: number): Promise<void> => {
    await sleep(delayMs);
    child.kill('SIGKILL');
  };
  let killing = isEarly ? kill(random.below(startDelayMaxMs)) : undefined;
  for await (const line of createInterface(child.stdout)) {
    // The kill may tear the last line; a whole one ends with a dot.
    const [word = '', shard, step, end] = line.split(' ');
    const field = fields.get(word);
    const shardKnown = known.get(Number(shard));
    if (field === undefined || shardKnown === undefined || end !== '.') continue;
    shardKnown[field] = Math.max(shardKnown[field], Number(step));
    killing ??= kill(random.below(writingDelayMaxMs));
  }
  const [code, signal] = await exited;
  await killing;
  if (signal !== 'SIGKILL') throw new Error(`the appending process ended by itself: ${code ?? signal}`);
}

/** Gives the number of sealed windows. */
async function check(path: string, engine: EngineName, known: Knowledge, round: string): Promise<number> {
  const directory = await openStoreDirectory(path, {
    retentionMs: storeRetentionMs,
    outOfOrderWindowMs,
    fsync: 'os',
    log: silentLogger,
    registry: new Registry(),
    openEngine: engineNamed(engine),
  });
  try {
    let windows = 0;
    for (const [number, shardKnown] of known) {
      const shard = await directory.openShard(number);
      const columns = await shard.select([], 0, Number.MAX_SAFE_INTEGER);
      const fault = faultOf(number, columns, shardKnown);
      if (fault !== undefined) throw new Error(`${round}, shard ${number}: ${fault}`);
      // What was logged and not acknowledged in time is there too, and must stay.
      shardKnown.acknowledged = stepOf(shard.stats().maxTimeMs);
      windows += shard.stats().windows;
    }
    return windows;
  } finally {
    await directory.close();
  }
}
