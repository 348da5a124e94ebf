import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SymbolTable } from './symbols.ts';

test('equal texts share a symbol until the last use is released', () => {
  const table = new SymbolTable({ symbolsMax: 10, bytesMax: 10_000 });
  const job = table.acquire('job');
  assert.equal(table.acquire('job'), job);
  assert.ok(job !== undefined);
  table.release(job);
  assert.equal(table.text(job), 'job');
  table.release(job);
  assert.equal(table.find('job'), undefined);
  assert.throws(() => table.text(job));
  assert.throws(() => table.release(job));
  assert.equal(table.bytes, 0);
});

test('a full table takes no new text and still knows the old ones', () => {
  const few = new SymbolTable({ symbolsMax: 2, bytesMax: 10_000 });
  assert.deepEqual(
    [few.acquire('a'), few.acquire('b'), few.acquire('c'), few.acquire('a')],
    [0, 1, undefined, 0],
  );
  const small = new SymbolTable({ symbolsMax: 10, bytesMax: 200 });
  assert.equal(small.acquire('x'.repeat(500)), undefined);
  assert.equal(small.acquire('x'.repeat(100)), 0);
});

test('property: behaves as a map with use counts, and its bytes add up', () => {
  const name = fc.constantFrom('', 'a', 'b', 'é', '花', 'long-label-value');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), name), { maxLength: 80 }), (steps) => {
      const table = new SymbolTable({ symbolsMax: 4, bytesMax: 1e6 });
      const uses = new Map<string, number>();
      for (const [acquire, text] of steps) {
        const count = uses.get(text) ?? 0;
        if (acquire) {
          const symbol = table.acquire(text);
          assert.equal(symbol === undefined, count === 0 && uses.size === 4);
          if (symbol !== undefined) uses.set(text, count + 1);
        } else if (count > 0) {
          table.release(table.find(text) as number);
          if (count === 1) uses.delete(text);
          else uses.set(text, count - 1);
        }
        assert.equal(table.size, uses.size);
        for (const known of uses.keys()) assert.equal(table.text(table.find(known) as number), known);
      }
      const fresh = new SymbolTable({ symbolsMax: 4, bytesMax: 1e6 });
      for (const known of uses.keys()) fresh.acquire(known);
      assert.equal(table.bytes, fresh.bytes);
    }),
  );
});

test('more symbols than the first allocation holds', () => {
  const table = new SymbolTable({ symbolsMax: 5000, bytesMax: 1e7 });
  for (let i = 0; i < 3000; i++) assert.equal(table.acquire(`s${i}`), i);
  for (let i = 0; i < 3000; i++) assert.equal(table.acquire(`s${i}`), i);
  for (let i = 0; i < 3000; i++) table.release(i);
  assert.equal(table.size, 3000);
});
