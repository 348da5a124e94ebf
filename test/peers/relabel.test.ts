/** Random relabeling rules turn static targets into the same targets, or none, at ours and at a real Prometheus. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/base/index.ts';
import { until } from '../scenario/api.ts';
import { freePorts, realTool, skipWithoutPeers, startCluster, startReal, testDirectory } from './programs.ts';
import { randomGroups, randomRules } from './random_relabel.ts';
import { assertSamePages, targetsPage } from './targets.ts';

const testTimeoutMs = 180_000;
const jobCount = 400;
const seed = Number(process.env['TORCHRING_RELABEL_SEED'] ?? '1');

test(`${jobCount} random relabel configurations, seed ${seed}`, {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const random = seededRandom(seed);
  const jobs = Array.from({ length: jobCount }, (_, index) => ({
    job_name: `j${index}`,
    static_configs: randomGroups(random),
    relabel_configs: randomRules(random),
  }));
  // JSON is YAML.
  const directory = testDirectory(context);
  const config = join(directory, 'prometheus.yml');
  writeFileSync(config, JSON.stringify({ global: { scrape_interval: '10h' }, scrape_configs: jobs }));
  const [port = 0] = await freePorts(1);
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${directory}/tsdb`];
  const peer = await startReal(context, 'prometheus', port, flags);
  const [node] = await startCluster(context, 1, config);
  assert.ok(node);
  // The real one hands its targets on a little later; that it has them all shows in their number staying.
  let before = -1;
  await until('all targets of the real one', 60_000, async () => {
    const { active, dropped } = await targetsPage(peer.url);
    const count = active.length + dropped.length;
    const isStill = count > jobCount && count === before;
    before = count;
    if (!isStill) await new Promise((resolve) => setTimeout(resolve, 1_000));
    return isStill || undefined;
  });
  const own = await targetsPage(node.url);
  const real = await targetsPage(peer.url);
  assert.ok(real.active.length > jobCount / 2 && real.dropped.length > jobCount / 4);
  try {
    assertSamePages(own, real);
  } catch (error) {
    const pool = /'(j\d+) /.exec(String(error))?.[1];
    const rules = jobs.find(({ job_name }) => job_name === pool)?.relabel_configs;
    throw new Error(`${String(error).slice(0, 6_000)}\n${pool}: ${JSON.stringify(rules)}`);
  }
});

const torchring = fileURLToPath(new URL('../../bin/torchring', import.meta.url));

/** What our check says, and whether it finds the file good. */
function ownVerdict(file: string): { isGood: boolean; said: string } {
  try {
    const said = execFileSync(process.execPath, [torchring, 'check', 'config', '--compat=3.5', file], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return { isGood: true, said };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { isGood: false, said: stdout + stderr };
  }
}

const badRules: readonly object[] = [
  { action: 'nonsense' },
  { action: '' },
  { regex: '(' },
  { regex: 'a**', target_label: 'x' },
  { action: 'replace' },
  { action: 'hashmod', target_label: 'x' },
  { action: 'hashmod', modulus: 4 },
  { action: 'hashmod', modulus: -1, target_label: 'x' },
  { action: 'lowercase', target_label: 'x', replacement: 'y' },
  { action: 'keepequal', target_label: 'x', regex: 'y' },
  { action: 'dropequal', source_labels: ['a'] },
  { action: 'dropequal', target_label: 'x', separator: ',' },
  { action: 'labeldrop', source_labels: ['a'], regex: 'x' },
  { action: 'labelkeep', target_label: 'x' },
  { action: 'labelmap', replacement: '' },
  { action: 'labelmap', regex: 'x', replacement: '-$1' },
  { target_label: '-' },
  { target_label: '$' + '{1}-x' },
  { source_labels: [''], target_label: 'x' },
  { source_labels: 'x', target_label: 'x' },
  { unknown: 1 },
];

test('what is wrong with a rule is said in the same words', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const directory = testDirectory(context);
  for (const [index, rule] of badRules.entries()) {
    const file = join(directory, `${index}.yml`);
    writeFileSync(file, JSON.stringify({ scrape_configs: [{ job_name: 'j', relabel_configs: [rule] }] }));
    const real = await realTool('promtool', ['check', 'config', file]);
    const own = ownVerdict(file);
    const what = `${JSON.stringify(rule)}\nreal: ${real.output}\nours: ${own.said}`;
    assert.equal(own.isGood, real.exitCode === 0, what);
    // Texts of the YAML library name Go's types; ours can't.
    const reason = /parsing YAML file [^:]*: (?!yaml: )(.*)/
      .exec(real.output)?.[1]
      // The anchors are not the user's.
      ?.replace(/`\^\(\?s:(.*)\)\$`/, '`$1`');
    if (!own.isGood && reason !== undefined) assert.ok(own.said.includes(reason), what);
  }
});
