/**
 * `npm run bench -- NAME [--json]`: runs `bench/<room>/<name>.ts` (NAME is `room/name`, `name`, or `room` for all of
 * its benches) and prints its figures, as a table or as one JSON line each. Without NAME it lists what there is.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './figure.ts';

const root = import.meta.dirname;
/** What benches share, no benches. */
const sharedFolders: readonly string[] = ['peers', 'workload'];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Every bench as `room/name`. */
function listBenches(): string[] {
  const names: string[] = [];
  for (const room of readdirSync(root, { withFileTypes: true })) {
    if (!room.isDirectory() || sharedFolders.includes(room.name)) continue;
    for (const file of readdirSync(join(root, room.name))) {
      if (/^[^.]+\.ts$/.test(file)) names.push(`${room.name}/${file.slice(0, -3)}`);
    }
  }
  return names.sort();
}

function jsonLine(figure: Figure): string {
  const { bench, value, unit, peer, peerValue } = figure;
  return JSON.stringify({ bench, figure: figure.figure, value, unit, peer, peerValue });
}

function tableLine(figure: Figure): string {
  const peer =
    figure.peer === undefined
      ? ''
      : `   ${figure.peer}: ${figure.peerValue?.toLocaleString('en') ?? 'not measured'}`;
  const value = figure.value.toLocaleString('en', { maximumFractionDigits: 3 });
  return `  ${figure.figure.padEnd(48)} ${value.padStart(16)} ${figure.unit}${peer}`;
}

async function runBench(name: string, json: boolean): Promise<void> {
  const { default: bench } = (await import(join(root, `${name}.ts`))) as { default: unknown };
  if (typeof bench !== 'function') throw new Error(`bench/${name}.ts has no default export to run`);
  if (!json) print(name);
  for await (const figure of (bench as Bench)()) {
    const named = { bench: name, ...figure };
    print(json ? jsonLine(named) : tableLine(named));
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const all = listBenches();
  const [wanted] = positionals;
  if (wanted === undefined) {
    for (const name of all) print(name);
    return 0;
  }
  const names = all.filter((name) => name === wanted || name.split('/').includes(wanted));
  if (names.length === 0) {
    process.stderr.write(`no benchmark named ${wanted}; there are: ${all.join(', ')}\n`);
    return 2;
  }
  for (const name of names) await runBench(name, values.json);
  return 0;
}

process.exitCode = await main();
