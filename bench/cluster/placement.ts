/** What it costs to find the shard of a series; every new series is placed once, at its scrape or its write. */
import { placementShard } from '../../src/cluster/index.ts';
import { Labels, xxHash64 } from '../../src/model/index.ts';
import type { Figure } from '../figure.ts';

const shards = 128;
const rounds = 200_000;
const seriesCount = 1_000;
const series = Array.from({ length: seriesCount }, (_, i) =>
  Labels.fromRecord({
    __name__: 'http_request_duration_seconds_bucket',
    code: '200',
    handler: '/api/v1/query_range',
    instance: `10.0.13.${i}:9090`,
    job: 'prometheus',
    le: '0.25',
  }),
);

function nanosecondsEach(place: (labels: Labels) => number): number {
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) place(series[i % seriesCount] as Labels);
  };
  run(rounds / 4);
  const startedMs = performance.now();
  run(rounds);
  return ((performance.now() - startedMs) * 1e6) / rounds;
}

export default async function* placement(): AsyncGenerator<Figure> {
  const bigInt = (labels: Labels): number =>
    Number(xxHash64([labels.get('job'), labels.get('instance')]) % BigInt(shards));
  yield {
    figure: 'shard of a series',
    value: nanosecondsEach((labels) => placementShard(labels, shards)),
    unit: 'ns/series',
    peer: 'the same in BigInt',
    peerValue: nanosecondsEach(bigInt),
  };
}
