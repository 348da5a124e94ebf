import assert from 'node:assert/strict';
import test from 'node:test';
import { Labels } from '../../../model/index.ts';
import { SelectState } from './select.ts';

const sets: Record<string, string>[] = Array.from({ length: 60 }, (_, i) => ({
  i: String(i),
  job: `j${i % 7}`,
  long: `${'é'.repeat(i * 3)}x`,
}));
sets.push({ i: 'big', long: 'y'.repeat(300) });
sets.push({ i: '254', v: 'y'.repeat(254) }, { i: '255', v: 'y'.repeat(255) });

function picked(ratio: number): string {
  const state = new SelectState('limit_ratio', { parameter: Float64Array.of(ratio) });
  for (const set of sets) {
    const labels = Labels.fromRecord({ __name__: 'm', ...set });
    state.add({ labels, values: new Float64Array(1), present: Uint8Array.of(1) });
  }
  return state
    .memberLabels()
    .map((labels) => labels.get('i'))
    .join(' ');
}

test('limit_ratio picks the series that a Prometheus 3.5 picked of the same ones', () => {
  assert.equal(picked(0.3), '2 4 7 8 10 14 18 20 23 34 36 37 39 44 46 47 48 50 53 254 255');
  assert.equal(picked(-0.4), '1 3 5 6 9 12 15 16 21 24 29 32 33 35 40 42 45 49 51 52 54 55 56 big');
});
