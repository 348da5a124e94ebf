import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteCache, type Sized } from './byte_cache.ts';

const sized = (value: string, bytes: number) => async (): Promise<Sized<string>> => ({ value, bytes });

test('the longest unused goes when the bytes are over the bound', async () => {
  const cache = new ByteCache(10);
  await cache.get('a', sized('A', 5));
  await cache.get('b', sized('B', 5));
  cache.find('a');
  await cache.get('c', sized('C', 3));
  assert.deepEqual([cache.find('a'), cache.find('b'), cache.find('c')], ['A', undefined, 'C']);
  assert.equal(cache.bytes, 8);
  assert.equal(await cache.get('huge', sized('H', 11)), 'H');
  assert.equal(cache.bytes, 8);
});

test('who wants the same entry at once shares one read, and a failed read is tried again', async () => {
  const cache = new ByteCache(10);
  let reads = 0;
  const failing = async (): Promise<Sized<string>> => {
    reads++;
    throw new Error('disk');
  };
  const both = await Promise.allSettled([cache.get('a', failing), cache.get('a', failing)]);
  assert.deepEqual([reads, both.map(({ status }) => status)], [1, ['rejected', 'rejected']]);
  assert.equal(await cache.get('a', sized('A', 1)), 'A');
});
