import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeWriteBatch, encodeWriteBatch } from '../model/index.ts';
import { decodeLogFrame, decodeLogKey, encodeLogFrame, encodeLogKey, shardMax } from './log_frame.ts';
import { batchOfBits } from './testing/fixtures.ts';

const goldenUrl = new URL('./testdata/log-frame-v1.hex', import.meta.url);

test('a record of version 1 is read as it was written', async () => {
  const text = await readFile(goldenUrl, 'utf8');
  const [key, frame] = text
    .trim()
    .split('\n')
    .map((line) => new Uint8Array(Buffer.from(line, 'hex')));
  assert.ok(key !== undefined && frame !== undefined);
  assert.deepEqual(decodeLogKey(key), { shard: 258, epoch: 7, sequence: 9 });
  const result = decodeLogFrame(key, frame);
  assert.ok(result.ok);
  const batch = decodeWriteBatch(result.payload);
  assert.equal(String(batch.series[0]), 'up{instance="host:9100", job="node"}');
  assert.equal(batch.timestamps[0], 1_700_000_000_123);
  assert.equal(new BigUint64Array(batch.values.buffer)[0], 0x7ff0000000000002n);
  // And is written as it was read.
  assert.deepEqual(encodeLogFrame(key, encodeWriteBatch(batch)), frame);
  const same = batchOfBits(
    { __name__: 'up', instance: 'host:9100', job: 'node' },
    1_700_000_000_123,
    0x7ff0000000000002n,
  );
  assert.deepEqual(encodeWriteBatch(same), result.payload.slice());
});

test('keys come back, and sort as (shard, epoch, sequence)', () => {
  const position = fc.record({
    shard: fc.integer({ min: 0, max: shardMax }),
    epoch: fc.integer({ min: 0, max: 0xffff_ffff }),
    sequence: fc.maxSafeNat(),
  });
  fc.assert(
    fc.property(position, position, (a, b) => {
      const [keyA, keyB] = [encodeLogKey(a), encodeLogKey(b)];
      assert.deepEqual(decodeLogKey(keyA), { ...a });
      const order = a.shard - b.shard || a.epoch - b.epoch || a.sequence - b.sequence;
      assert.equal(Buffer.compare(keyA, keyB), Math.sign(order));
    }),
  );
});

test('any changed, missing or added byte of a frame is noticed, and so is another key', () => {
  const key = encodeLogKey({ shard: 1, epoch: 2, sequence: 3 });
  const frame = encodeLogFrame(key, Uint8Array.of(1, 2, 3, 4));
  for (let at = 0; at < frame.length; at++) {
    const damaged = frame.slice();
    damaged[at] = (damaged[at] as number) ^ 0x10;
    assert.equal(decodeLogFrame(key, damaged).ok, false);
    assert.equal(decodeLogFrame(key, frame.subarray(0, at)).ok, false);
  }
  assert.equal(decodeLogFrame(key, Uint8Array.of(...frame, 0)).ok, false);
  assert.equal(decodeLogFrame(encodeLogKey({ shard: 1, epoch: 2, sequence: 4 }), frame).ok, false);
});
