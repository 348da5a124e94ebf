import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteFormatError, systemClock } from '../../base/index.ts';
import { FloatHistogram, type SeriesColumns } from '../../model/index.ts';
import { evaluatePartial, finishPartial, type PartialAggregate } from '../distribute/partial.ts';
import { Engine } from '../engine.ts';
import { columnsOf, type GivenSeries } from '../testing/mixed_series.ts';
import { GivenStorage } from '../testing/storage.ts';
import { decodePartial, encodePartial } from './partial.ts';

const engine = new Engine({
  limits: { samplesMax: 1e7, timeoutMs: 60_000, lookbackMs: 30_000 },
  features: { experimentalFunctions: true },
  clock: systemClock,
});
const never = new AbortController().signal;

const unhurried = { due: false, pause: (): Promise<void> => Promise.resolve() };

async function partialOf(
  text: string,
  series: readonly SeriesColumns[],
  steps: number,
): Promise<PartialAggregate> {
  const range = { startMs: 0, endMs: (steps - 1) * 60_000, stepMs: 60_000 };
  const options = { countsSteps: true };
  const partial = await evaluatePartial(engine, text, range, new GivenStorage(series), never, options);
  return { ...partial, samples: { ...partial.samples, workMs: 1.5 } };
}

const histogram = new FloatHistogram({
  schema: 1,
  count: 6,
  sum: 2.5,
  positiveSpans: [{ offset: -2, length: 2 }],
  positiveBuckets: Float64Array.of(2, 4),
});

function given(...samples: GivenSeries['samples']): SeriesColumns[] {
  return [0, 1].map((i) => columnsOf({ name: 'x', group: 'a', samples }, i));
}

/** As version 3 wrote them. */
const golden: readonly [text: string, samples: GivenSeries['samples'], hex: string][] = [
  [
    'sum(x)',
    [0.5, null, histogram],
    '0300000000000000000000000000004ced400300001a1a0002000000000000f83f0102001800000106085f5f6e616d655f5f01780567726f75700161016901300300030001020304050300010203040500020101000000000000f03f000001020101010204010000020100020102000000000000000000010c05000203000104080001',
  ],
  [
    'stddev by (group) (x)',
    [1, 2, null],
    '0306000000000000000000000000004ced4003000004040002000000000000f83f01020200000001020567726f7570016101010001000002030100000000000000400301020000',
  ],
  [
    'topk(1, x)',
    [1, null, 3],
    '0308000000000000000000000000004ced4003000004070302000000000000f83f010200020101000000000000f03f000106085f5f6e616d655f5f01780567726f7570016101690130020003000102030405000001000205030103',
  ],
  [
    'quantile(0.5, x)',
    [1, null, 3],
    '030d000000000000000000000000004ced4003000004070302000000000000f83f010200020101000000000000e03f000100010000000202050301030205030103',
  ],
  [
    'count_values("v", x)',
    [1, null, 3],
    '030c000000000000000000000000004ced4003000004040002000000000000f83f01020002000176010001000002013103020000013303000002',
  ],
];

test('what version 3 wrote is read as what it was, and written so', async () => {
  for (const [text, samples, hex] of golden) {
    const series = given(...samples);
    assert.equal(Buffer.from(encodePartial(await partialOf(text, series, 3))).toString('hex'), hex, text);
    const expr = engine.parse(text);
    assert.ok(expr.kind === 'aggregate');
    const fragment = { id: 1, text, expr, startMs: 0, endMs: 120_000, stepMs: 60_000 };
    const read = await finishPartial(decodePartial(Buffer.from(hex, 'hex')), fragment, unhurried);
    assert.deepEqual(read, await finishPartial(await partialOf(text, series, 3), fragment, unhurried), text);
  }
});

test('bytes grow with groups and steps, not with series', async () => {
  const series = (count: number): SeriesColumns[] =>
    Array.from({ length: count }, (_, i) =>
      columnsOf({ name: 'x', group: 'a', samples: Array.from({ length: 50 }, (_, at) => i / 7 + at) }, i),
    );
  for (const op of ['sum', 'avg', 'count', 'min', 'stdvar']) {
    const bytes = encodePartial(await partialOf(`${op}(x)`, series(300), 50)).length;
    assert.ok(bytes <= 100 + 50 * 8 * 4, `${op}: ${bytes} bytes`);
  }
  const bytes = encodePartial(await partialOf('topk(3, x)', series(300), 50)).length;
  assert.ok(bytes <= 200 + 3 * (50 * 8 + 20), `topk: ${bytes} bytes`);
});

test('more cells than memory is given for are refused before it is taken', async () => {
  const series = Array.from({ length: 30 }, (_, i) => columnsOf({ name: 'x', group: 'a', samples: [1] }, i));
  const partial = await partialOf('sum by (i) (x)', series, 1);
  const { samplesPerStep: _, ...samples } = partial.samples;
  const bytes = encodePartial({ ...partial, samples });
  const grown = Uint8Array.from([...bytes.subarray(0, 18), 0xff, 0xff, 0x3f, ...bytes.subarray(19)]);
  assert.throws(
    () => decodePartial(grown),
    (e) => e instanceof ByteFormatError && /too large/.test(e.message),
  );
  const beyond = Uint8Array.from([...bytes.subarray(0, 18), 0x81, 0x80, 0x80, 0x01, ...bytes.subarray(19)]);
  assert.throws(() => decodePartial(beyond), /steps are too many/);
});
