import assert from 'node:assert/strict';
import test from 'node:test';
import { CodedError, type Random, seededRandom, systemClock } from '../base/index.ts';
import { Labels, type SeriesColumns } from '../model/index.ts';
import { QueryError, type QueryResult } from '../promql/index.ts';
import { GivenStorage } from '../promql/testing/storage.ts';
import { type CoordinatedQuery, type CoordinatedResult, Coordinator } from './coordinator.ts';
import { IncompleteAnswerError, StaleTableError } from './errors.ts';
import { type Holders, MemoryCluster, scatter, testEngine, testLimits } from './testing/memory_cluster.ts';

const startMs = 1_000_000;
const stepMs = 15_000;
const samples = 40;
const signal = new AbortController().signal;
const range = { startMs: startMs + 300_000, endMs: startMs + 540_000, stepMs: 60_000, instant: false };

/** Values of very different size, so that a sum that isn't compensated shows it. */
function seriesOf(name: string, labels: Record<string, string>, random: Random): SeriesColumns {
  const scale = 10 ** (random.below(18) - 6);
  let value = 0;
  return {
    labels: Labels.fromRecord({ __name__: name, ...labels }),
    timestamps: Float64Array.from({ length: samples }, (_, i) => startMs + i * stepMs),
    values: Float64Array.from({ length: samples }, () => {
      value = name.endsWith('_total') ? value + random.next() * scale : (random.next() - 0.5) * scale;
      return value;
    }),
  };
}

function dataset(random: Random): SeriesColumns[] {
  const list: SeriesColumns[] = [];
  for (let i = 0; i < 24; i++) {
    const labels = { job: `j${i % 3}`, instance: `i${i}` };
    list.push(seriesOf('requests_total', labels, random), seriesOf('temperature', labels, random));
    for (const le of ['0.1', '1', '+Inf']) list.push(seriesOf('latency_bucket', { ...labels, le }, random));
  }
  return list;
}

const queries = [
  'sum(temperature)',
  'sum by (job) (rate(requests_total[2m]))',
  'avg without (instance) (temperature)',
  'count by (job) (temperature > 0)',
  'min(temperature) - max by (job) (temperature) / on () group_left () count(temperature)',
  'group by (job) (requests_total)',
  'temperature{job="j1"}',
  'rate(requests_total[3m]) > 0',
  'topk(3, temperature)',
  'histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))',
  'sum(temperature) / scalar(count(temperature))',
  'max_over_time(sum(temperature)[5m:1m])',
  'sum(absent_metric) or vector(1)',
  'quantile(0.5, temperature)',
  'quantile by (job) (0.9, rate(requests_total[2m]))',
  'stddev by (job) (temperature)',
  'bottomk by (job) (2, -temperature)',
  'limitk(5, temperature) or limit_ratio(0.3, requests_total)',
  'count_values without (instance) ("v", temperature > bool 0)',
  'topk(time() / 300, temperature)',
  'sum(temperature offset 1m) by (job)',
  'rate(requests_total[2m]) / temperature',
  'sum by (job) (requests_total > temperature)',
  '-temperature * 2 and rate(requests_total[2m])',
  'temperature * on (instance) group_left () rate(requests_total[2m])',
];

function coordinate(
  cluster: MemoryCluster,
  expr: string,
  changes: Partial<CoordinatedQuery> = {},
): Promise<CoordinatedResult> {
  const query = {
    expr,
    range,
    limits: testLimits,
    subqueryStepMs: 60_000,
    partialResponse: true,
    ...changes,
  };
  return new Coordinator(testEngine(), cluster, systemClock).run(query, signal);
}

/** Keys and values of a range query's result. */
function rows({ value }: QueryResult): Map<string, Float64Array> {
  assert.equal(value.type, 'matrix');
  if (value.type !== 'matrix') return new Map();
  return new Map(value.series.map(({ labels, values }) => [labels.toString(), values]));
}

function assertSame(actual: QueryResult, expected: QueryResult, what: string): void {
  const [got, wanted] = [rows(actual), rows(expected)];
  assert.deepEqual([...got.keys()], [...wanted.keys()], what);
  for (const [key, values] of wanted) {
    const other = got.get(key) ?? new Float64Array(0);
    assert.equal(other.length, values.length, `${what} ${key}`);
    for (const [i, value] of values.entries()) {
      const difference = Math.abs((other[i] as number) - value);
      const allowed = Math.abs(value) * 4 * Number.EPSILON;
      assert.ok(
        difference <= allowed || Object.is(other[i], value),
        `${what} ${key}: ${other[i]} is not ${value}`,
      );
    }
  }
}

const whole = (series: readonly SeriesColumns[]): Promise<QueryResult>[] =>
  queries.map((expr) => testEngine().evaluate(expr, range, { storage: new GivenStorage(series) }, signal));

for (const [nodes, workers] of [
  [1, 1],
  [1, 3],
  [3, 1],
  [3, 2],
  [7, 4],
] as const) {
  test(`${nodes} nodes with ${workers} workers answer as one engine over all series does`, async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = seededRandom(seed * 1000 + nodes * 10 + workers);
      const series = dataset(random);
      const expected = await Promise.all(whole(series));
      const cluster = new MemoryCluster(scatter(series, { nodes, shards: 16, random }), workers);
      // Whoever asks has some of the shards itself, or none.
      if (seed % 2 === 0) cluster.nearNode = 'n0';
      for (const [i, expr] of queries.entries()) {
        const answer = await coordinate(cluster, expr);
        assert.deepEqual(answer.warnings, [], expr);
        assert.equal(answer.isUnsettled, false);
        assertSame(answer, expected[i] as QueryResult, `seed ${seed}: ${expr}`);
      }
    }
  });
}

const [one, two, three] = ['i1', 'i2', 'i3'].map(
  (instance): SeriesColumns => ({
    labels: Labels.fromRecord({ __name__: 'm', instance }),
    timestamps: Float64Array.of(startMs + 290_000),
    values: Float64Array.of(1),
  }),
);
const at = { ...range, endMs: range.startMs, instant: true };

const shard = (...holders: readonly [string, readonly SeriesColumns[]][]): Holders => new Map(holders);
const threeNodes = (): Holders[] => [
  shard(['a', [one as SeriesColumns]]),
  shard(['b', [two as SeriesColumns]]),
  shard(['c', [three as SeriesColumns]]),
  shard(['b', []]),
];

function total(answer: QueryResult): number | undefined {
  return answer.value.type === 'vector' ? answer.value.samples[0]?.value : undefined;
}

test('aggregations are sent to where whole shards lie, one call per node, and no raw series come back', async () => {
  const cluster = new MemoryCluster(threeNodes());
  assert.equal(total(await coordinate(cluster, 'sum(m)', { range: at })), 3);
  assert.deepEqual(cluster.calls.sort(), ['a partial 0', 'b partial 1,3', 'c partial 2']);
});

test('of a shard on the move raw series are joined, and a sample that both holders have counts once', async () => {
  const moving = [
    shard(['a', [one as SeriesColumns]], ['b', [one as SeriesColumns]]),
    ...threeNodes().slice(1),
  ];
  const cluster = new MemoryCluster(moving);
  assert.equal(total(await coordinate(cluster, 'sum(m)', { range: at })), 3);
  assert.ok(cluster.calls.includes('a select 0') && cluster.calls.includes('b select 0'));
});

test('a node that has to leave shards out says which, and the rest is answered', async () => {
  for (const expr of ['sum(m)', 'm + 0']) {
    for (const near of ['b', undefined]) {
      const cluster = new MemoryCluster(threeNodes());
      cluster.nearNode = near;
      cluster.unreadable.set('b', { shards: [3], reason: 'page 7 is damaged' });
      const answer = await coordinate(cluster, expr, { range: at });
      assert.equal(answer.isUnsettled, true);
      assert.deepEqual(answer.warnings, [
        'incomplete answer: node b can not read its disk (page 7 is damaged), what it holds of shard 3 is missing',
      ]);
    }
  }
});

test('a node that fails mid-query is named in a warning with its shards, and the rest is answered', async () => {
  for (const expr of ['sum(m)', 'm + 0']) {
    const cluster = new MemoryCluster(threeNodes());
    cluster.failing.set('b', new CodedError('transport_unavailable', 'connection refused'));
    const answer = await coordinate(cluster, expr, { range: at });
    assert.equal(
      answer.value.type === 'vector' && answer.value.samples.reduce((sum, s) => sum + s.value, 0),
      2,
    );
    assert.equal(answer.isUnsettled, true);
    assert.equal(answer.warnings.length, 1);
    assert.match(answer.warnings[0] as string, /node b did not answer .*shards 1, 3 is missing/);
  }
});

test('what is away is named; whether it matters to the present depends on the present owner', async () => {
  for (const isSettled of [true, false]) {
    const cluster = new MemoryCluster(threeNodes());
    cluster.away.set('c', { isSettled });
    const answer = await coordinate(cluster, 'sum(m)', { range: at });
    assert.equal(total(answer), 2);
    assert.match(answer.warnings[0] as string, /node c is away, what it holds of shard 2 is missing/);
    assert.equal(answer.isUnsettled, !isSettled);
  }
});

test('partial_response=false makes an incomplete answer an error that can be tried again', async () => {
  const cluster = new MemoryCluster(threeNodes());
  cluster.away.set('c', { isSettled: true });
  await assert.rejects(
    coordinate(cluster, 'sum(m)', { range: at, partialResponse: false }),
    (error) => error instanceof IncompleteAnswerError && error.errorType === 'unavailable',
  );
});

test('when the table moves under a query it is asked again by the new one, and nothing counts twice or never', async () => {
  const asked = [undefined, 'a', 'c'].flatMap((near) =>
    ['sum(m)', 'count(m + 0)', 'sum(topk(3, m))', 'sum(abs(m or m))'].map((expr) => ({ expr, near })),
  );
  for (const { expr, near } of asked) {
    const cluster = new MemoryCluster(threeNodes());
    cluster.nearNode = near;
    let moves = 0;
    cluster.onExecute = (nodeId) => {
      if (nodeId !== 'c' || moves++ > 0) return;
      // The series of a have moved to c while the nodes are being asked.
      cluster.move([shard(['c', [one as SeriesColumns]]), ...threeNodes().slice(1)]);
    };
    const answer = await coordinate(cluster, expr, { range: at });
    assert.equal(total(answer), 3, expr);
    assert.deepEqual(answer.warnings, []);
  }
});

test('what lies in the asking thread is read there, other workers and nodes are asked', async () => {
  const cluster = new MemoryCluster(threeNodes(), 3);
  cluster.nearNode = 'b';
  assert.equal(total(await coordinate(cluster, 'sum(m)', { range: at })), 3);
  assert.deepEqual(cluster.calls.sort(), ['a partial 0', 'b near 3', 'b partial 1', 'c partial 2']);
});

test('many shards of the asking thread are read a few at a time, and all again when the table moves between', async () => {
  const shards = Array.from({ length: 20 }, (_, i) => shard(['a', i === 17 ? [one as SeriesColumns] : []]));
  const cluster = new MemoryCluster(shards);
  cluster.nearNode = 'a';
  let reads = 0;
  cluster.onExecute = () => {
    if (++reads === 2) cluster.move(shards.with(0, shard(['a', [two as SeriesColumns]])));
  };
  const steps = { ...at, endMs: at.startMs + 2000, stepMs: 1000, instant: false };
  const { value } = await coordinate(cluster, 'count(m)', { range: steps });
  assert.ok(value.type === 'matrix');
  assert.deepEqual([...(value.series[0]?.values ?? [])], [2, 2, 2]);
  const again = ['a near 0,1,2,3,4,5,6,7', 'a near 8,9,10,11,12,13,14,15'];
  assert.deepEqual(cluster.calls, [...again, ...again, 'a near 16,17,18,19']);
});

test('what selects one target asks its shard alone, and lacks nothing when others are away', async () => {
  for (const [expr, kind] of [
    ['sum(m{job="",instance="i2"})', 'partial'],
    ['m{job="",instance="i2"} * on () group_left () m{job="",instance="i2"}', 'select'],
  ] as const) {
    const cluster = new MemoryCluster(threeNodes());
    cluster.away.set('c', { isSettled: false });
    const answer = await coordinate(cluster, expr, { range: at, partialResponse: false });
    assert.equal(total(answer), 1);
    assert.deepEqual([...new Set(cluster.calls)], [`b ${kind} 1`]);
  }
  for (const expr of [
    'sum(m{instance="i2"})',
    'sum(m{job="",instance=~"i2"})',
    'sum(m{job="",instance=""})',
  ]) {
    const cluster = new MemoryCluster(threeNodes());
    await coordinate(cluster, expr, { range: at });
    assert.equal(cluster.calls.length, 3, expr);
  }
});

test('raw series of shards on the move are asked for again by the new table too', async () => {
  const series = [one as SeriesColumns];
  const cluster = new MemoryCluster([shard(['a', series], ['b', []])]);
  let moves = 0;
  cluster.onExecute = () => {
    if (moves++ === 0) cluster.move([shard(['b', series])]);
  };
  const answer = await coordinate(cluster, 'sum(m)', { range: at });
  assert.equal(total(answer), 1);
  assert.deepEqual(answer.warnings, []);
});

test('a node that failed an attempt which was given up is no gap of the answer', async () => {
  const cluster = new MemoryCluster(threeNodes());
  cluster.failing.set('a', new CodedError('transport_unavailable', 'connection refused'));
  let moves = 0;
  cluster.onExecute = (nodeId) => {
    if (nodeId !== 'c' || moves++ > 0) return;
    cluster.move([shard(['c', [one as SeriesColumns]]), ...threeNodes().slice(1)]);
  };
  const answer = await coordinate(cluster, 'sum(m)', { range: at, partialResponse: false });
  assert.equal(total(answer), 3);
  assert.equal(answer.isUnsettled, false);
});

test('a table that never comes to rest ends the query as something to try again', async () => {
  const cluster = new MemoryCluster(threeNodes());
  cluster.onExecute = () => cluster.move(threeNodes());
  for (const expr of ['sum(m)', 'm']) {
    await assert.rejects(coordinate(cluster, expr, { range: at }), StaleTableError);
  }
  assert.ok(cluster.calls.length < 100);
});

test("the query's own errors are not taken for gaps, wherever they are found", async () => {
  const cluster = new MemoryCluster(threeNodes());
  const isOwn =
    (type: string) =>
    (error: unknown): boolean =>
      error instanceof QueryError && error.errorType === type;
  await assert.rejects(coordinate(cluster, 'sum(m'), isOwn('bad_data'));
  const limits = { ...testLimits, samplesMax: 0 };
  await assert.rejects(coordinate(cluster, 'sum(m)', { range: at, limits }), isOwn('execution'));
});

test('a cancelled query ends at once, also while a node keeps it waiting', async () => {
  const cluster = new MemoryCluster(threeNodes());
  const abort = new AbortController();
  cluster.execute = () => new Promise<never>(() => undefined);
  const query = {
    expr: 'sum(m)',
    range: at,
    limits: testLimits,
    subqueryStepMs: 60_000,
    partialResponse: true,
  };
  const running = new Coordinator(testEngine(), cluster, systemClock).run(query, abort.signal);
  abort.abort(new Error('gone'));
  await assert.rejects(running, (error) => error instanceof QueryError && error.errorType === 'canceled');
});

test('a subquery without a step takes the global evaluation interval', async () => {
  const cluster = new MemoryCluster(threeNodes());
  const count = async (subqueryStepMs: number): Promise<number> => {
    const { value } = await coordinate(cluster, 'count_over_time(vector(1)[1m:])', {
      range: at,
      subqueryStepMs,
    });
    return value.type === 'vector' ? (value.samples[0]?.value ?? 0) : 0;
  };
  assert.equal(await count(10_000), 6);
  assert.equal(await count(60_000), 1);
});

test('the nodes, too, take it as the step of subqueries without one', async () => {
  const cluster = new MemoryCluster(threeNodes());
  const expr = 'sum(count_over_time(m[1m:]))';
  assert.equal(total(await coordinate(cluster, expr, { range: at, subqueryStepMs: 5_000 })), 9);
  assert.equal(total(await coordinate(cluster, expr, { range: at, subqueryStepMs: 60_000 })), undefined);
});

test('annotations of the nodes have their positions in the whole query, each once', async () => {
  const random = seededRandom(1);
  const series = dataset(random);
  const cluster = new MemoryCluster(scatter(series, { nodes: 3, shards: 16, random }), 2);
  const text = '1 +\n  quantile(2, rate(temperature[5m]))';
  const { warnings, infos } = await coordinate(cluster, text);
  assert.deepEqual(warnings, ['PromQL warning: quantile value should be between 0 and 1, got 2 (2:12)']);
  assert.deepEqual(infos, [
    'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "temperature" (2:20)',
  ]);
  assert.ok(cluster.calls.some((call) => call.includes('partial')));
});

test('of several failures a query tells of the one that comes first when it is evaluated in one place', async () => {
  const random = seededRandom(3);
  const series = dataset(random);
  const smoothed = 'double_exponential_smoothing(temperature{instance="i1"}[5m], 0, 0.5)';
  const texts = [
    `count_values ("", limitk(1, ${smoothed}))`,
    `label_join(${smoothed}, "", "", "job")`,
    `topk(1e20, ${smoothed})`,
    `limit_ratio(NaN, ${smoothed})`,
    `${smoothed} + on () count_values("", temperature)`,
    `count_values("", temperature) + on () ${smoothed}`,
  ];
  for (const expr of texts) {
    const told = (run: Promise<QueryResult>): Promise<unknown> =>
      run.then(
        () => 'an answer',
        (error: unknown) => (error instanceof QueryError ? error.message : error),
      );
    const whole = testEngine().evaluate(expr, range, { storage: new GivenStorage(series) }, signal);
    const cluster = new MemoryCluster(scatter(series, { nodes: 3, shards: 16, random }), 2);
    assert.equal(await told(coordinate(cluster, expr)), await told(whole), expr);
  }
});
