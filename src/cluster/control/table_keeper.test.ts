import assert from 'node:assert/strict';
import test from 'node:test';
import { TableKeeper } from './table_keeper.ts';

const voters = ['a', 'b', 'c'];

test('the first table comes at once when all voters are there', () => {
  const keeper = new TableKeeper(8);
  keeper.setAlive(voters);
  assert.equal(keeper.tick(undefined, voters, voters)?.version, 1);
});

test('the first table waits for a voter that is not there, but not for ever', () => {
  const keeper = new TableKeeper(8);
  keeper.setAlive(['a', 'b']);
  let ticks = 1;
  while (keeper.tick(undefined, voters, voters) === undefined && ticks < 1000) ticks++;
  assert.equal(ticks, 50);
});

test('later tables wait until the members have been still for a moment', () => {
  const keeper = new TableKeeper(8);
  keeper.setAlive(['a', 'b', 'c']);
  const first = keeper.tick(undefined, voters, voters);
  assert.ok(first);
  keeper.setAlive(['a', 'b', 'c', 'd']);
  const known = [...voters, 'd'];
  for (let tick = 1; tick < 5; tick++) assert.equal(keeper.tick(first, known, voters), undefined);
  assert.equal(keeper.tick(first, known, voters)?.version, 2);
});
