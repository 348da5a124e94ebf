import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RunSlab, unitOf } from './run_slab.ts';

const bytes = fc.integer({ min: 1, max: 8192 });

test('runs never share a byte, and all memory but one slab is given back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, fc.nat(9)), { minLength: 200, maxLength: 800 }), (steps) => {
      const slab = new RunSlab();
      const live: { address: number; length: number; mark: number }[] = [];
      const take = (at: number): void => {
        const [run] = live.splice(at, 1);
        if (run === undefined) return;
        const from = unitOf(run.address) * 8;
        const held = slab.slabOf(run.address).bytes.subarray(from, from + run.length);
        assert.ok(held.every((byte) => byte === run.mark));
        slab.free(run.address, run.length);
      };
      for (const [step, [length, luck]] of steps.entries()) {
        const address = slab.allocate(length);
        assert.notEqual(address, 0);
        const from = unitOf(address) * 8;
        slab.slabOf(address).bytes.fill(step & 255, from, from + length);
        live.push({ address, length, mark: step & 255 });
        if (luck < 5) take((step * 31) % live.length);
        if (luck === 9) for (const _ of slab.trim());
      }
      while (live.length > 0) take(live.length - 1);
      for (const _ of slab.trim());
      assert.equal(slab.memory.liveBytes, 0);
      assert.ok(slab.memory.heldBytes <= 2 ** 20);
    }),
    { numRuns: 30 },
  );
});

test('runs are given out and taken back between the steps of a trim, even of one that is broken off', () => {
  const slab = new RunSlab();
  const small = 64;
  const large = 128;
  const lengths = new Map<number, number>();
  const take = (length: number): void => {
    const address = slab.allocate(length);
    assert.ok(!lengths.has(address));
    lengths.set(address, length);
  };
  for (let k = 0; k < 100_000; k++) take(k % 2 === 0 ? small : large);
  const giveBack = (count: number): void => {
    for (const [address, length] of [...lengths].slice(0, count).reverse()) {
      slab.free(address, length);
      lengths.delete(address);
    }
  };
  giveBack(90_000);
  const broken = slab.trim();
  broken.next();
  for (let k = 0; k < 100; k++) take(k % 2 === 0 ? small : large);
  let steps = 0;
  for (const _ of slab.trim()) {
    steps++;
    take(large);
    take(small);
    giveBack(1);
  }
  assert.ok(steps >= 3, `${steps} steps`);
  for (let k = 0; k < 50_000; k++) take(small);
  for (const _ of broken) take(large);
  for (const [address, length] of lengths) slab.slabOf(address).bytes.fill(1, unitOf(address) * 8, length);
  giveBack(lengths.size);
  for (const _ of slab.trim());
  assert.deepEqual(slab.memory, { heldBytes: 2 ** 20, liveBytes: 0 });
});
