/**
 * The data that random queries are asked of: counters that are reset, gauges with gaps, NaN and infinities, series that
 * end, classic buckets, native histograms of several resolutions, a metric that is float here and histogram there, and info
 * series. As columns for our engine, and as remote write requests for a real Prometheus.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { WriteRequestSchema } from '../../../proto/gen/prometheus/remote_pb.ts';
import { type Random, seededRandom } from '../../../src/base/index.ts';
import { FloatHistogram, Labels, type SeriesColumns } from '../../../src/model/index.ts';
import { snappyCompress } from '../../../src/remote/index.ts';

export const intervalMs = 15_000;
/** Samples of a series that lacks none. */
export const rounds = 100;
const bounds = ['0.1', '0.5', '1', '5', '+Inf'];

type Draw = (round: number) => number | FloatHistogram | undefined;

export function randomData(seed: number, startMs: number): SeriesColumns[] {
  const random = seededRandom(seed);
  const series: SeriesColumns[] = [];
  const add = (record: Record<string, string>, draw: Draw): void => {
    series.push(columnsOf(Labels.fromRecord(record), startMs, random, draw));
  };
  for (const job of ['api', 'db']) {
    for (const instance of ['a:1', 'b:1', 'c:2']) {
      const place = { job, instance };
      for (const mode of ['read', 'write']) {
        add({ __name__: 'ops_total', ...place, mode }, counter(random, 20));
        add({ __name__: 'queue', ...place, mode, zone: instance === 'c:2' ? 'x' : 'y' }, gauge(random));
      }
      add({ __name__: 'uneven', ...place }, odd(random));
      add({ __name__: 'build_info', ...place, version: `v${random.below(3)}` }, () => 1);
      const buckets = bounds.map((le) => ({ le, count: counter(random, 9) }));
      let sums: number[] = [];
      for (const [index, { le }] of buckets.entries()) {
        const before = sums;
        sums = [];
        const here = sums;
        const draw = (buckets[index] as (typeof buckets)[number]).count;
        add({ __name__: 'latency_bucket', ...place, le }, (round) => {
          here[round] = (draw(round) as number) + (before[round] ?? 0);
          return here[round];
        });
      }
      add({ __name__: 'native', ...place }, native(random, random.below(4)));
      add({ __name__: 'mixed', ...place }, mixed(random));
      add({ __name__: 'custom', ...place }, custom(random));
    }
  }
  return series.sort((a, b) => a.labels.compare(b.labels));
}

function columnsOf(labels: Labels, startMs: number, random: Random, draw: Draw): SeriesColumns {
  const offsetMs = random.below(intervalMs);
  const endsAt = random.below(8) === 0 ? rounds / 2 : rounds;
  const timestamps: number[] = [];
  const values: number[] = [];
  const histograms: (FloatHistogram | null)[] = [];
  for (let round = 0; round < endsAt; round++) {
    const drawn = draw(round);
    if (drawn === undefined || random.below(30) === 0) continue;
    timestamps.push(startMs + round * intervalMs + offsetMs);
    values.push(typeof drawn === 'number' ? drawn : 0);
    histograms.push(typeof drawn === 'number' ? null : drawn);
  }
  const columns = { labels, timestamps: Float64Array.from(timestamps), values: Float64Array.from(values) };
  return histograms.some((one) => one !== null) ? { ...columns, histograms } : columns;
}

function counter(random: Random, growth: number): Draw {
  let value = random.below(1000);
  return () => {
    value = random.below(40) === 0 ? random.below(3) : value + random.below(growth);
    return value;
  };
}

/** No two series have the same value at a time: the order of equals is not defined. */
function gauge(random: Random): Draw {
  let value = random.below(100) + random.next() / 1024;
  return () => {
    value += (random.below(2001) - 1000) / 64;
    return value;
  };
}

function odd(random: Random): Draw {
  const strange = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e300, -1e-300];
  return (round) => {
    if (round % 20 > 14) return undefined;
    return random.below(6) === 0 ? strange[random.below(strange.length)] : random.next() * 10 - 5;
  };
}

function native(random: Random, schema: number): Draw {
  let counts = [0, 0, 0, 0, 0, 0];
  let negative = [0, 0];
  let zero = 0;
  let sum = 0;
  return () => {
    if (random.below(35) === 0) {
      counts = counts.map(() => 0);
      negative = negative.map(() => 0);
      zero = 0;
      sum = 0;
    }
    counts = counts.map((count) => count + random.below(4));
    negative = negative.map((count) => count + random.below(2));
    zero += random.below(2);
    sum += random.below(100) / 8;
    return new FloatHistogram({
      ...{ schema, zeroThreshold: 0.001, zeroCount: zero, sum },
      count: zero + [...counts, ...negative].reduce((a, b) => a + b, 0),
      positiveSpans: [
        { offset: -1, length: 4 },
        { offset: 2, length: 2 },
      ],
      positiveBuckets: Float64Array.from(counts),
      negativeSpans: [{ offset: 0, length: 2 }],
      negativeBuckets: Float64Array.from(negative),
    });
  };
}

function mixed(random: Random): Draw {
  const floats = counter(random, 5);
  const histograms = native(random, 1);
  return (round) => (round % 40 < 20 ? floats(round) : histograms(round));
}

/** Buckets of its own bounds; now and then they change. */
function custom(random: Random): Draw {
  let bounds = [0.1, 0.5, 2];
  let counts = [0, 0, 0, 0];
  let sum = 0;
  return () => {
    if (random.below(30) === 0) {
      bounds = random.below(2) === 0 ? [0.1, 0.5, 2] : [0.1, 2];
      counts = [...bounds, 0].map(() => 0);
      sum = 0;
    }
    counts = counts.map((count) => count + random.below(4));
    sum += random.below(50) / 4;
    return new FloatHistogram({
      ...{ schema: -53, customValues: Float64Array.from(bounds), zeroThreshold: 0, zeroCount: 0, sum },
      count: counts.reduce((a, b) => a + b, 0),
      positiveSpans: [{ offset: 0, length: counts.length }],
      positiveBuckets: Float64Array.from(counts),
      ...{ negativeSpans: [], negativeBuckets: new Float64Array(0) },
    });
  };
}

/** Bodies of remote write requests with everything, in the order of time: a receiver takes a request's floats first. */
export function* requestsOf(
  series: readonly SeriesColumns[],
  startMs: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let round = 0; round < rounds; round++) {
    const fromMs = startMs + round * intervalMs;
    const timeseries = series.flatMap(({ labels, timestamps, values, histograms }) => {
      const i = timestamps.findIndex((at) => at >= fromMs && at < fromMs + intervalMs);
      if (i < 0) return [];
      const timestamp = BigInt(timestamps[i] as number);
      const histogram = histograms?.[i];
      return {
        labels: Array.from(labels, ([name, value]) => ({ name, value })),
        samples: histogram ? [] : [{ timestamp, value: values[i] as number }],
        histograms: histogram ? [{ timestamp, ...wireHistogram(histogram) }] : [],
      };
    });
    yield snappyCompress(toBinary(WriteRequestSchema, create(WriteRequestSchema, { timeseries })));
  }
}

function wireHistogram(histogram: FloatHistogram) {
  const { count, zeroCount, positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram;
  return {
    count: { case: 'countFloat' as const, value: count },
    zeroCount: { case: 'zeroCountFloat' as const, value: zeroCount },
    ...{ schema: histogram.schema, sum: histogram.sum, zeroThreshold: histogram.zeroThreshold },
    positiveSpans: positiveSpans.map((span) => ({ ...span })),
    negativeSpans: negativeSpans.map((span) => ({ ...span })),
    positiveCounts: [...positiveBuckets],
    negativeCounts: [...negativeBuckets],
    customValues: [...histogram.customValues],
  };
}
