/**
 * What a shard has on the disk when it is opened: headers of windows, tombstones, and keys that a crash left without a
 * header, which are swept away. Values of pages and index chunks are not read.
 */
import { assert, errorText, type Logger } from '../../base/index.ts';
import type { StoreEngine } from '../engine.ts';
import { openChunk, Section } from './chunk_frame.ts';
import { damaged } from './errors.ts';
import {
  behind,
  generationMax,
  KeyKind,
  kindRange,
  parseTombstoneKey,
  parseWindowKey,
  type WindowId,
  windowKey,
  windowRange,
} from './keys.ts';
import { decodeTombstone, type Tombstone } from './tombstone.ts';
import { decodeHeader, type WindowHeader } from './window_header.ts';

export interface Catalog {
  /** By start, then generation. */
  readonly headers: readonly WindowHeader[];
  readonly tombstones: readonly Tombstone[];
  /** Windows whose header can't be read: not served, and left where they are. */
  readonly damaged: readonly WindowId[];
  readonly generations: Generations;
}

/** Gives out generations of windows that start together; one is never used twice. */
export class Generations {
  readonly #next = new Map<number, number>();

  used(id: WindowId): void {
    this.#next.set(id.startMs, Math.max(this.#next.get(id.startMs) ?? 0, id.generation + 1));
  }

  take(startMs: number): number {
    const generation = this.#next.get(startMs) ?? 0;
    assert(generation <= generationMax, `the window at ${startMs} ms has too many generations`);
    this.#next.set(startMs, generation + 1);
    return generation;
  }
}

/** Throws WindowError (`window_damaged`) for a tombstone that can't be read: what it deleted must not come back. */
export async function openCatalog(shard: number, engine: StoreEngine, log: Logger): Promise<Catalog> {
  const generations = new Generations();
  const headers: WindowHeader[] = [];
  const damagedIds: WindowId[] = [];
  const known = new Set<string>();
  for await (const id of windowIds(shard, KeyKind.Index, engine)) {
    generations.used(id);
    const key = windowKey(shard, KeyKind.Index, id, 0);
    const value = await engine.get(key);
    if (value === undefined) {
      await engine.clear(windowRange(shard, KeyKind.Index, id));
      continue;
    }
    known.add(nameOf(id));
    try {
      headers.push(decodeHeader(id.startMs, id.generation, openChunk(key, Section.Header, value)));
    } catch (error) {
      damagedIds.push(id);
      log.error(
        { shard, ...id, reason: errorText(error) },
        'A sealed window can not be read and is left out',
      );
    }
  }
  for await (const id of windowIds(shard, KeyKind.Page, engine)) {
    generations.used(id);
    if (!known.has(nameOf(id))) await engine.clear(windowRange(shard, KeyKind.Page, id));
  }
  return { headers, tombstones: await readTombstones(shard, engine), damaged: damagedIds, generations };
}

/** The windows that have any key of this kind, jumping from one to the next. */
async function* windowIds(
  shard: number,
  kind: typeof KeyKind.Index | typeof KeyKind.Page,
  engine: StoreEngine,
): AsyncGenerator<WindowId> {
  let { from, to } = kindRange(shard, kind);
  for (let key = await engine.firstKey({ from, to }); key !== undefined; ) {
    const id = parseWindowKey(key);
    if (id === undefined) {
      from = behind(key);
    } else {
      yield id;
      from = windowRange(shard, kind, id).to;
    }
    key = await engine.firstKey({ from, to });
  }
}

async function readTombstones(shard: number, engine: StoreEngine): Promise<Tombstone[]> {
  const tombstones: Tombstone[] = [];
  for await (const [key, value] of engine.entries(kindRange(shard, KeyKind.Tombstone))) {
    const number = parseTombstoneKey(key);
    if (number === undefined)
      throw damaged(`tombstone of shard ${shard}`, 'its key is not one of a tombstone');
    tombstones.push(decodeTombstone(number, openChunk(key, Section.Tombstone, value)));
  }
  return tombstones;
}

function nameOf(id: WindowId): string {
  return `${id.startMs}/${id.generation}`;
}
