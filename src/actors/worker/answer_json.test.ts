import assert from 'node:assert/strict';
import test from 'node:test';
import { Labels } from '../../model/index.ts';
import { type MatrixSeries, MemoryLimitError, resultToJson } from '../../promql/index.ts';
import { VirtualClock } from '../../runtime/testing/index.ts';
import { answerJson } from './answer_json.ts';

const never = new AbortController().signal;

function matrixOf(count: number): { type: 'matrix'; series: MatrixSeries[] } {
  const series = Array.from({ length: count }, (_, i) => ({
    labels: Labels.fromRecord({ __name__: 'ä', i: String(i) }),
    timestamps: Float64Array.from({ length: 100 }, (_, at) => at * 1000),
    values: new Float64Array(100).fill(i / 7),
  }));
  return { type: 'matrix', series };
}

test('an answer is the JSON of its result, whatever its size, with further fields at the end', async () => {
  const options = { clock: new VirtualClock(), signal: never, bytesMax: 1e9 };
  for (const count of [0, 1, 300]) {
    const value = matrixOf(count);
    const plain = new TextDecoder().decode(await answerJson({ value }, false, {}, options));
    assert.equal(plain, resultToJson({ value }, false));
    const more = new TextDecoder().decode(
      await answerJson({ value }, false, { stats: { a: 1 }, explain: 'x' }, options),
    );
    assert.equal(more, `${plain.slice(0, -1)},"stats":{"a":1},"explain":"x"}`);
  }
});

test('an answer of too many bytes is refused', async () => {
  const options = { clock: new VirtualClock(), signal: never, bytesMax: 200_000 };
  await assert.rejects(answerJson({ value: matrixOf(300) }, false, {}, options), MemoryLimitError);
});

test('a client that goes away while its answer is made ends that', async () => {
  const abort = new AbortController();
  let nowMs = 0;
  let pauses = 0;
  // Every look at the clock is 30 ms later: a pause after each block of it.
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => (nowMs += 30),
    after: (_ms: number, run: () => void) => {
      if (++pauses === 3) abort.abort(new Error('gone'));
      queueMicrotask(run);
      return { cancel: () => undefined };
    },
  };
  const made = answerJson(
    { value: matrixOf(600) },
    false,
    {},
    { clock, signal: abort.signal, bytesMax: 1e9 },
  );
  await assert.rejects(made, /gone/);
  assert.equal(pauses, 3);
});
