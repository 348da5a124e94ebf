import assert from 'node:assert/strict';
import test from 'node:test';
import { type Clock, systemClock, type Timer } from '../base/index.ts';
import { FloatHistogram, Labels, type SeriesColumns } from '../model/index.ts';
import { Engine } from './engine.ts';
import type { QueryError } from './errors.ts';
import { resultToJson } from './result_json.ts';
import { GivenStorage } from './testing/storage.ts';
import type { QueryRange, Storage } from './types.ts';

const limits = { samplesMax: 1000, timeoutMs: 60_000, lookbackMs: 300_000 };

function series(labels: Record<string, string>, values: readonly number[], stepMs = 60_000): SeriesColumns {
  return {
    labels: Labels.fromRecord(labels),
    timestamps: Float64Array.from(values, (_, i) => i * stepMs),
    values: Float64Array.from(values),
  };
}

function engine(options: { clock?: Clock; delayed?: boolean } = {}): Engine {
  return new Engine({
    limits,
    clock: options.clock ?? systemClock,
    features: { delayedNameRemoval: options.delayed === true },
  });
}

const never = new AbortController().signal;

async function instant(query: string, atMs: number, storage: Storage, delayed = false): Promise<string> {
  const range = { startMs: atMs, endMs: atMs, stepMs: 0, instant: true };
  return resultToJson(await engine({ delayed }).evaluate(query, range, { storage }, never), true);
}

async function errorOf(work: Promise<unknown>): Promise<QueryError> {
  return work.then(
    () => assert.fail('it did not fail'),
    (error: QueryError) => error,
  );
}

const two = new GivenStorage([
  series({ __name__: 'up', job: 'a' }, [1, 0.1, 1e21]),
  series({ __name__: 'up', job: 'b' }, [Number.NaN, Number.POSITIVE_INFINITY, -0]),
]);

test('a long chain of operators is evaluated', async () => {
  const chain = new Array<string>(1_500).fill('up{job="a"}').join(' + ');
  assert.match(await instant(chain, 0, two), /"1500"\]\}\]\}$/);
  assert.match(await instant(`1${' + 1'.repeat(1_499)}`, 0, two), /"1500"/);
});

test('results print as the HTTP API of Prometheus prints them', async () => {
  assert.equal(
    await instant('up', 60_500, two),
    '{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[60.500,"0.1"]},' +
      '{"metric":{"__name__":"up","job":"b"},"value":[60.500,"+Inf"]}]}',
  );
  assert.equal(
    await instant('1e21', 1, two),
    '{"resultType":"scalar","result":[0.001,"1000000000000000000000"]}',
  );
  assert.equal(await instant('"a\\"b"', 0, two), '{"resultType":"string","result":[0,"a\\"b"]}');
  assert.equal(
    await instant('up{job="b"}[2m]', 60_000, two),
    '{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"b"},"values":[[0,"NaN"],[60,"+Inf"]]}]}',
  );
  const range = { startMs: 0, endMs: 120_000, stepMs: 60_000, instant: false };
  const scalar = await engine().evaluate('time()', range, { storage: two }, never);
  assert.equal(
    resultToJson(scalar, false),
    '{"resultType":"matrix","result":[{"metric":{},"values":[[0,"0"],[60,"60"],[120,"120"]]}]}',
  );
});

test('a reset just before a window is none of its own', async () => {
  // The first step's window holds the sample before the reset, so that it is there when the second looks.
  const range = { startMs: 90_000, endMs: 150_000, stepMs: 60_000, instant: false };
  const lastValue = async (values: number[], query: string): Promise<string | undefined> => {
    const storage = new GivenStorage([series({ __name__: 'c' }, values)]);
    const result = await engine().evaluate(query, range, { storage }, never);
    return /\[150,"([^"]+)"\]\]\}\]\}$/.exec(resultToJson(result, false))?.[1];
  };
  for (const query of ['increase(c[2m])', 'rate(c[2m])']) {
    const expected = await lastValue([1, 2, 4], query);
    assert.ok(expected !== undefined);
    assert.equal(await lastValue([10, 2, 4], query), expected, query);
  }
});

test('dates of the first century are of their own years', async () => {
  const atSeconds = Date.parse('0000-02-15T12:00:00Z') / 1000;
  for (const [name, value] of [
    ['day_of_year', 46],
    ['days_in_month', 29],
    ['year', 0],
  ]) {
    const text = await instant(`${name}(vector(${atSeconds}))`, 0, two);
    assert.match(text, new RegExp(`"${value}"\\]`), text);
  }
});

test('selectors ask storage for exactly what their windows reach', async () => {
  const asked = async (query: string, range: QueryRange): Promise<[number, number]> => {
    const storage = new GivenStorage([]);
    await engine().evaluate(query, { ...range, instant: false }, { storage }, never);
    const [request] = storage.requests;
    assert.ok(request);
    return [request.fromMs, request.toMs];
  };
  const range = { startMs: 1_000_000, endMs: 2_000_000, stepMs: 1000 };
  assert.deepEqual(await asked('x', range), [700_001, 2_000_000]);
  assert.deepEqual(await asked('x offset 1m', range), [640_001, 1_940_000]);
  assert.deepEqual(await asked('rate(x[2m])', range), [880_001, 2_000_000]);
  assert.deepEqual(await asked('x @ 500', range), [200_001, 500_000]);
  assert.deepEqual(await asked('max_over_time(x[10m:1m])', range), [420_000 - 300_000 + 1, 1_980_000]);
});

test('equal selectors are fetched once', async () => {
  const storage = new GivenStorage([series({ __name__: 'x' }, [1])]);
  await instant('x + x', 0, storage);
  assert.equal(storage.requests.length, 1);
});

test('with names dropped at once equal results fail, with delayed removal labels may still tell them apart', async () => {
  const storage = new GivenStorage([
    series({ __name__: 'a', x: '1' }, [1]),
    series({ __name__: 'b', x: '1' }, [2]),
  ]);
  const query = 'label_replace(abs({__name__=~"a|b"}), "from", "$1", "__name__", "(.+)")';
  const error = await errorOf(instant(query, 0, storage));
  assert.equal(error.message, 'vector cannot contain metrics with the same labelset');
  assert.equal(error.errorType, 'execution');
  assert.match(await instant(query, 0, storage, true), /"from":"a".*"from":"b"/);
});

test('a query that would hold too many samples fails', async () => {
  const many = Array.from({ length: 1001 }, (_, i) => series({ __name__: 'x', i: String(i) }, [1]));
  const error = await errorOf(instant('x', 0, new GivenStorage(many)));
  assert.equal(error.message, 'query processing would load too many samples into memory in query execution');
  assert.equal(error.errorType, 'execution');
});

/** Stands still until told otherwise. */
class HandClock implements Clock {
  readonly #timers: { atMs: number; run: () => void }[] = [];
  #now = 0;
  nowMs(): number {
    return this.#now;
  }
  monotonicMs(): number {
    return this.#now;
  }
  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#now + delayMs, run };
    this.#timers.push(timer);
    return { cancel: () => void this.#timers.splice(this.#timers.indexOf(timer), 1) };
  }
  advance(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers.filter(({ atMs }) => atMs <= this.#now)) timer.run();
  }
}

const hanging: Storage = { select: () => new Promise(() => {}) };
const anInstant = { startMs: 0, endMs: 0, stepMs: 0, instant: true };

test('a storage that does not answer is given up on at the deadline', async () => {
  const clock = new HandClock();
  const running = errorOf(engine({ clock }).evaluate('x', anInstant, { storage: hanging }, never));
  clock.advance(limits.timeoutMs);
  const error = await running;
  assert.equal(error.errorType, 'timeout');
  assert.equal(error.message, 'query timed out in expression evaluation');
});

test('the caller can cancel', async () => {
  const controller = new AbortController();
  const running = errorOf(engine().evaluate('x', anInstant, { storage: hanging }, controller.signal));
  controller.abort();
  const error = await running;
  assert.equal(error.errorType, 'canceled');
  assert.equal(error.message, 'query was canceled in expression evaluation');
});

test('a long evaluation lets its cancellation in', async () => {
  const controller = new AbortController();
  let now = 0;
  const hurried: Clock = { ...systemClock, monotonicMs: () => (now += 30) };
  const many = Array.from({ length: 500 }, (_, i) => series({ __name__: 'x', i: String(i) }, [1]));
  const running = errorOf(
    engine({ clock: hurried }).evaluate(
      'x',
      anInstant,
      { storage: new GivenStorage(many) },
      controller.signal,
    ),
  );
  setImmediate(() => controller.abort());
  assert.equal((await running).errorType, 'canceled');
});

test('a subquery with more steps than memory holds is refused before memory is taken', async () => {
  for (const query of [
    'max_over_time(x[50y:1ms])',
    'sum_over_time(vector(1)[50y:1ms])',
    'max_over_time(time()[1d:1ms])',
  ]) {
    const error = await errorOf(instant(query.replace('time()', 'vector(time())'), 0, two));
    assert.equal(
      error.message,
      'query processing would load too many samples into memory in query execution',
    );
  }
});

test('annotations of a tree get their positions from the text that is given with it', async () => {
  const text = 'rate(\n  up[5m])';
  const one = engine();
  const result = await one.evaluate(
    one.parse(text),
    { ...anInstant, startMs: 120_000 },
    { storage: two },
    never,
    { text },
  );
  assert.match(result.infos[0] ?? '', /"up" \(2:3\)$/);
});

const native = new FloatHistogram({
  count: 6,
  sum: 2.5,
  zeroThreshold: 0.001,
  zeroCount: 2,
  positiveSpans: [{ offset: 0, length: 3 }],
  positiveBuckets: Float64Array.from([1, 0, 2]),
  negativeSpans: [{ offset: 1, length: 1 }],
  negativeBuckets: Float64Array.from([1]),
});
const nativeStorage = new GivenStorage([
  { ...series({ __name__: 'h' }, [0, 7, 0]), histograms: [native, null, FloatHistogram.stale] },
]);
const nativeJson =
  '{"count":"6","sum":"2.5","buckets":[[1,"-2","-1","1"],[3,"-0.001","0.001","2"],[0,"0.5","1","1"],[0,"2","4","2"]]}';

test('native histograms print with their populated buckets and which bounds belong to them', async () => {
  assert.equal(
    await instant('h', 0, nativeStorage),
    `{"resultType":"vector","result":[{"metric":{"__name__":"h"},"histogram":[0,${nativeJson}]}]}`,
  );
  assert.equal(
    await instant('h[5m]', 180_000, nativeStorage),
    `{"resultType":"matrix","result":[{"metric":{"__name__":"h"},"values":[[60,"7"]],"histograms":[[0,${nativeJson}]]}]}`,
  );
});

test('the staleness marker of a histogram ends the series', async () => {
  const empty = '{"resultType":"vector","result":[]}';
  assert.equal(await instant('h', 120_000, nativeStorage), empty);
  assert.match(await instant('timestamp(h)', 119_000, nativeStorage), /"60"/);
});

test('a function of windows refuses two series that become one even at different steps, one of values does not', async () => {
  const early = series({ __name__: 'early' }, [1, 2, 3]);
  const { timestamps, ...rest } = series({ __name__: 'later' }, [1, 2, 3]);
  const later = { ...rest, timestamps: timestamps.map((at) => at + 900_000) };
  const storage = new GivenStorage([early, later]);
  const range = { startMs: 0, endMs: 1_200_000, stepMs: 60_000, instant: false };
  const selector = '{__name__=~"early|later"}';
  const error = await errorOf(engine().evaluate(`rate(${selector}[2m])`, range, { storage }, never));
  assert.equal(error.message, 'vector cannot contain metrics with the same labelset');
  const { value } = await engine().evaluate(`abs(${selector})`, range, { storage }, never);
  assert.equal(value.type === 'matrix' && value.series.length, 1);
});

test('sinh and cosh are infinite as soon as exp is', async () => {
  assert.match(await instant('cosh(vector(710))', 0, two), /"\+Inf"/);
  assert.match(await instant('sinh(vector(-710))', 0, two), /"-Inf"/);
  assert.match(await instant('cosh(vector(700))', 0, two), /"5\.07\d*e\+303"/);
});
