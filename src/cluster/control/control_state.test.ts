import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClusterFormatError } from '../errors.ts';
import { computeTable, emptyTable } from '../ring/table.ts';
import { type ControlCommand, decodeCommand, encodeCommand } from './commands.ts';
import { ControlState } from './control_state.ts';

const nodes = fc.constantFrom('a', 'b', 'c', 'd');
const keyed = fc.record({
  key: fc.constantFrom('k1', 'k2', 'k3'),
  payload: fc.uint8Array({ maxLength: 20 }),
  expiresAtMs: fc.nat(),
});
const tables = fc
  .tuple(
    fc.nat({ max: 9 }),
    fc.array(fc.tuple(nodes, fc.nat(), fc.uniqueArray(nodes, { maxLength: 3 })), { maxLength: 6 }),
  )
  .map(([version, shards]) => ({
    version,
    shards: shards.map(([owner, epoch, holders]) => ({ owner, epoch, holders })),
  }));
const commands: fc.Arbitrary<ControlCommand> = fc.oneof(
  fc.record({
    kind: fc.constant('setTable' as const),
    table: tables,
    members: fc.array(nodes, { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('holderDone' as const),
    shard: fc.nat({ max: 7 }),
    epoch: fc.nat({ max: 3 }),
    nodeId: nodes,
  }),
  fc.record({ kind: fc.constant('recordNotification' as const), entry: keyed }),
  fc.record({ kind: fc.constant('setSilence' as const), entry: keyed }),
  fc.record({ kind: fc.constant('expire' as const), nowMs: fc.nat() }),
);

test('a command reads back as it was written', () => {
  fc.assert(
    fc.property(commands, (command) =>
      assert.deepEqual(decodeCommand(encodeCommand(command)), structuredClone(command)),
    ),
  );
});

test('bytes that are no command are refused by a coded error, never worse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeCommand(bytes);
      } catch (error) {
        assert.ok(error instanceof ClusterFormatError);
      }
    }),
  );
});

test('a replica restored from a snapshot goes on as one that applied everything', () => {
  fc.assert(
    fc.property(
      fc.array(commands, { maxLength: 20 }),
      fc.array(commands, { maxLength: 20 }),
      (before, after) => {
        const whole = new ControlState();
        for (const command of before) whole.apply(command);
        const restored = new ControlState();
        restored.restore(whole.snapshot());
        for (const command of after) assert.deepEqual(restored.apply(command), whole.apply(command));
        assert.deepEqual(restored.snapshot(), whole.snapshot());
      },
    ),
  );
});

test('a table is taken only when it follows the current version and has as many shards', () => {
  const state = new ControlState();
  const first = computeTable(emptyTable(4), ['a', 'b'], ['a', 'b']);
  const set = (table: typeof first): readonly string[] =>
    state.apply({ kind: 'setTable', table, members: ['a', 'b'] });
  assert.deepEqual(set({ ...first, version: 2 }), []);
  assert.deepEqual(set(first), ['table']);
  assert.deepEqual(set(first), [], 'a repeated proposal changes nothing');
  assert.deepEqual(set({ ...emptyTable(5), version: 2 }), []);
});

test('a holder that is done is dropped, the owner never', () => {
  const state = new ControlState();
  const first = computeTable(emptyTable(1), ['a'], ['a']);
  state.apply({ kind: 'setTable', table: first, members: ['a'] });
  const second = computeTable(first, ['b'], ['a', 'b']);
  state.apply({ kind: 'setTable', table: second, members: ['a', 'b'] });
  assert.deepEqual(state.table?.shards[0], { owner: 'b', epoch: 2, holders: ['b', 'a'] });
  assert.deepEqual(state.apply({ kind: 'holderDone', shard: 0, epoch: 2, nodeId: 'b' }), []);
  const late = { kind: 'holderDone', shard: 0, epoch: 1, nodeId: 'a' } as const;
  assert.deepEqual(state.apply(late), [], 'said of another ownership');
  assert.deepEqual(state.apply({ kind: 'holderDone', shard: 0, epoch: 2, nodeId: 'a' }), ['table']);
  assert.deepEqual(state.table?.shards[0], { owner: 'b', epoch: 2, holders: ['b'] });
  assert.equal(state.table?.version, 3);
});

test('expired entries go when the leader says what time it is', () => {
  const state = new ControlState();
  const entry = { key: 'group', payload: new Uint8Array([1]), expiresAtMs: 10 };
  assert.deepEqual(state.apply({ kind: 'recordNotification', entry }), ['notification']);
  assert.deepEqual(state.apply({ kind: 'expire', nowMs: 9 }), []);
  assert.deepEqual(state.apply({ kind: 'expire', nowMs: 10 }), ['notification']);
  assert.equal(state.get('notification', 'group'), undefined);
});
