import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Matcher, MatchType } from '../../model/index.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { everything, inOrder, oneSeries, openSet, shown } from './testing/fixtures.ts';

const goldenPath = new URL('./testdata/window-index-v1.hex', import.meta.url);

async function writtenDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  const series = [
    oneSeries({ __name__: 'up', job: 'a', zone: 'eu-1' }, [1000, 1], [16_000, 0]),
    oneSeries({ __name__: 'up', job: 'b', zone: 'eu-2' }, [1500, 1], [16_500, 1]),
    oneSeries({ __name__: 'down', job: 'a' }, [2000, -0.5]),
  ];
  await set.seal({ startMs: 0, epoch: 7, series: inOrder(series) });
  await set.delete([Matcher.create(MatchType.Regexp, 'zone', 'eu-[2-9]')], 0, 2000);
  return disk;
}

const expected = [
  'down{job="a"} 2000=-0.5',
  'up{job="a", zone="eu-1"} 1000=1 16000=0',
  'up{job="b", zone="eu-2"} 16500=1',
];

test('a window of version 1 is read', async () => {
  const disk = new MemoryDisk();
  for (const line of (await readFile(goldenPath, 'utf8')).trim().split('\n')) {
    const [key = '', value = ''] = line.split(' ');
    disk.set(key, new Uint8Array(Buffer.from(value, 'hex')));
  }
  assert.deepEqual(shown(await (await openSet(disk)).select([], ...everything)), expected);
});

test('index and tombstones are written as version 1 has them', async () => {
  const disk = await writtenDisk();
  const index = disk.keys
    .filter((key) => key.slice(4, 6) !== '50')
    .map((key) => `${key} ${Buffer.from(disk.value(key) ?? []).toString('hex')}`);
  const golden = (await readFile(goldenPath, 'utf8')).trim().split('\n');
  // The pages' checksum and size, and what covers them, follow the page format, which has a golden file of its own.
  const isOwn = (line: string): boolean => !/^000349.{20}(00|05) /.test(line) && line.slice(4, 6) !== '50';
  assert.deepEqual(index.filter(isOwn), golden.filter(isOwn));
});

test('no flipped bit, cut or missing value ever gives a wrong answer', async () => {
  const sound = await writtenDisk();
  let refused = 0;
  for (const key of sound.keys) {
    const value = sound.value(key) ?? new Uint8Array(0);
    for (let bit = 0; bit < value.length * 8; bit += 5) {
      const flipped = value.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      refused += await refusal(sound, key, flipped);
    }
    refused += await refusal(sound, key, value.subarray(0, value.length - 1));
    refused += await refusal(sound, key, new Uint8Array(0));
  }
  assert.ok(refused > 100);
});

/** 1 when the damage was found; any other answer must be right, or lack the window as a whole. */
async function refusal(sound: MemoryDisk, key: string, value: Uint8Array): Promise<number> {
  const disk = new MemoryDisk();
  for (const other of sound.keys) disk.set(other, sound.value(other) ?? new Uint8Array(0));
  disk.set(key, value);
  try {
    const set = await openSet(disk);
    const answer = shown(await set.select([], ...everything));
    if (set.stats().damaged > 0) assert.deepEqual(answer, []);
    else assert.deepEqual(answer, expected);
    return 0;
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'window_damaged', String(error));
    return 1;
  }
}

test('a page under the key of another is found out', async () => {
  const disk = new MemoryDisk();
  const set = await openSet(disk);
  const labels = { __name__: 'm' };
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(labels, [1, 1])] });
  await set.seal({ startMs: 0, epoch: 1, series: [oneSeries(labels, [2, 2])] });
  const [first = '', second = ''] = disk.keys.filter((key) => key.slice(4, 6) === '50');
  disk.set(first, disk.value(second) ?? new Uint8Array(0));
  await assert.rejects((await openSet(disk)).select([], ...everything), { code: 'window_damaged' });
});
