import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FramePool } from './frame_pool.ts';

test('frames do not overlap, and memory is used again when all of a chunk are back', () => {
  const pool = new FramePool();
  const frames = Array.from({ length: 1000 }, (_, i) => pool.take(1000).fill(i % 251));
  for (const [i, frame] of frames.entries()) assert.ok(frame.every((byte) => byte === i % 251));
  const { heldBytes } = pool;
  for (let round = 0; round < 20; round++) {
    for (const frame of frames.splice(0)) pool.release(frame);
    for (let i = 0; i < 1000; i++) frames.push(pool.take(1000));
    assert.equal(pool.heldBytes, heldBytes);
  }
});

test('a frame in use keeps its chunk from being cut anew', () => {
  const pool = new FramePool();
  const kept = pool.take(100).fill(7);
  for (let i = 0; i < 10_000; i++) pool.release(pool.take(1000).fill(9));
  assert.ok(kept.every((byte) => byte === 7));
});

test('a frame too large for a chunk, or from elsewhere, is nobody’s business', () => {
  const pool = new FramePool();
  pool.release(pool.take(10_000_000));
  pool.release(new Uint8Array(10));
  assert.equal(pool.heldBytes, 0);
});
