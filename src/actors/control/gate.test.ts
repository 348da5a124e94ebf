import assert from 'node:assert/strict';
import test from 'node:test';
import { Gate } from './gate.ts';

const whenFull = (): Error => new Error('full');

test('who waits and goes is not waited for, and who came first is next', async () => {
  const gate = new Gate({ max: 1, waitingMax: 2, whenFull });
  await gate.enter(new AbortController().signal);
  const gone = new AbortController();
  const waiting = gate.enter(gone.signal);
  const after = gate.enter(new AbortController().signal);
  await assert.rejects(gate.enter(new AbortController().signal), /full/);
  gone.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  gate.leave();
  await after;
  assert.equal(gate.size, 1);
  const open = new Gate({ max: 0, waitingMax: 2, whenFull });
  for (let i = 0; i < 5; i++) await open.enter(new AbortController().signal);
  assert.equal(open.size, 5);
});
