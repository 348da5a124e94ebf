/** A small part of what `npm run fuzz:promql` does, and that the machinery sees what it should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';
import { drawText, lengthMax } from './strings.ts';

const texts = 10_000;

test('no random or mutated text crashes the parser, takes long or leaves memory behind', {
  timeout: 60_000,
}, async () => {
  const { troubles, valid, ...result } = await fuzz({ seed: 1, texts });
  const shown = troubles.map(({ index, what }) => `${index} ${drawText(1, index).slice(0, 100)}: ${what}`);
  assert.deepEqual(shown, []);
  assert.equal(result.texts, texts);
  assert.ok(valid > texts / 20 && valid < texts, `${valid} of ${texts} texts are valid`);
});

test('a text follows from its number alone and is bounded', () => {
  const drawn = Array.from({ length: 300 }, (_, index) => drawText(7, index));
  assert.deepEqual(
    drawn,
    Array.from({ length: 300 }, (_, index) => drawText(7, index)),
  );
  assert.ok(drawn.every((text) => text.length <= lengthMax));
  assert.ok(new Set(drawn).size > 280);
});
