import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CaseOutcome, runScript } from './run_script.ts';

const here = path.dirname(fileURLToPath(import.meta.url));

async function scriptsOf(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.test')).sort();
}

async function failuresOf(
  directory: string,
  name: string,
): Promise<{ total: number; failures: CaseOutcome[] }> {
  const outcomes = await runScript(await readFile(path.join(directory, name), 'utf8'));
  return { total: outcomes.length, failures: outcomes.filter(({ verdict }) => verdict !== undefined) };
}

test('all of our own cases pass', async () => {
  const directory = path.join(here, 'cases');
  for (const name of await scriptsOf(directory)) {
    const { total, failures } = await failuresOf(directory, name);
    assert.ok(total > 0, `${name} has cases`);
    const shown = failures.map(({ command, verdict }) => `${name}:${command.line} ${verdict?.reason}`);
    assert.deepEqual(shown, []);
  }
});

test("of Prometheus' scripts at least as many cases pass as ever before", async (t) => {
  const directory = process.env['TORCHRING_PROMQLTEST_DIR'];
  if (directory === undefined) return t.skip('TORCHRING_PROMQLTEST_DIR is not set');
  const floors = JSON.parse(await readFile(path.join(here, 'floors.json'), 'utf8')) as Record<string, number>;
  for (const name of await scriptsOf(directory)) {
    const floor = floors[name];
    if (floor === undefined) continue;
    const { total, failures } = await failuresOf(directory, name);
    const passed = total - failures.length;
    assert.ok(passed >= floor, `${name}: ${passed} pass, but ${floor} did`);
    assert.ok(passed <= floor, `${name}: ${passed} pass, raise its floor of ${floor} in floors.json`);
  }
});
