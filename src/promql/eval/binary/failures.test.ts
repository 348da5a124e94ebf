import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../base/index.ts';
import { Labels, type SeriesColumns } from '../../../model/index.ts';
import { Engine } from '../../engine.ts';
import { GivenStorage } from '../../testing/storage.ts';

const limits = { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 30_000 };
const engine = new Engine({ limits, clock: systemClock });
const range = { startMs: 0, endMs: 120_000, stepMs: 60_000, instant: false };

/** One sample a step from `first` on. */
function series(labels: Record<string, string>, first: number): SeriesColumns {
  const timestamps = [0, 60_000, 120_000].slice(first);
  return {
    labels: Labels.fromRecord(labels),
    timestamps: Float64Array.from(timestamps),
    values: new Float64Array(timestamps.length).fill(1),
  };
}

const storage = new GivenStorage([
  series({ __name__: 'left', i: '1', x: 'a' }, 0),
  series({ __name__: 'left', i: '1', x: 'b' }, 1),
  series({ __name__: 'right', i: '1', y: 'a' }, 0),
  series({ __name__: 'right', i: '1', y: 'b' }, 2),
]);

const manyMatches = /^multiple matches for labels: many-to-one matching must be explicit/;
const duplicates = /^found duplicate series for the match group \{i="1"\} on the right hand-side/;

async function fails(query: string, message: RegExp): Promise<void> {
  const signal = new AbortController().signal;
  await assert.rejects(engine.evaluate(query, range, { storage }, signal), { message }, query);
}

test('of matches that are wrong at several steps the first step is told', async () => {
  // Several on the left from the second step on, on the right at the third.
  await fails('left + on (i) right', manyMatches);
  // At the second step there are several on the right already, which are looked at before matches are.
  await fails('right + on (i) left', duplicates);
});

test('where both operands fail the failure of the left one is told, even if the right one is evaluated first', async () => {
  const [left, right] = ['left + on (i) right', 'right + on (i) left'];
  await fails(`(${left}) * (${right})`, manyMatches);
  await fails(`(${right}) * (${left})`, duplicates);
  await fails(`sum(max_over_time((${left})[1m:1m]) * on (i) (${right}))`, manyMatches);
  await fails(`sum(max_over_time((${right})[1m:1m]) * on (i) (${left}))`, duplicates);
});

test('where a subquery and a scalar beside it fail the failure of the subquery is told', async () => {
  const [left, right] = ['left + on (i) right', 'right + on (i) left'];
  await fails(`quantile_over_time(scalar(${right}), (${left})[2m:1m])`, manyMatches);
  await fails(`predict_linear((${right})[2m:1m], scalar(${left}))`, duplicates);
});
