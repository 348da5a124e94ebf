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
  const bytes = 64;
  const addresses = Array.from({ length: 100_000 }, () => slab.allocate(bytes));
  for (const address of addresses.splice(0, 90_000)) slab.free(address, bytes);
  const broken = slab.trim();
  broken.next();
  const live = new Set(addresses);
  const take = (): void => {
    const address = slab.allocate(bytes);
    assert.ok(!live.has(address));
    live.add(address);
  };
  for (let k = 0; k < 100; k++) take();
  let steps = 0;
  for (const _ of slab.trim()) {
    steps++;
    take();
    slab.free(addresses[steps] as number, bytes);
    live.delete(addresses[steps] as number);
  }
  assert.ok(steps > 5);
  for (const _ of broken) take();
  for (let k = 0; k < 30_000; k++) take();
  for (const address of live) slab.slabOf(address);
  for (const address of live) slab.free(address, bytes);
  for (const _ of slab.trim());
  assert.deepEqual(slab.memory, { heldBytes: 2 ** 20, liveBytes: 0 });
});
