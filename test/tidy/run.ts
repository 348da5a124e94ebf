/** `node test/tidy/run.ts`: holds the tree against the rules; one line per finding, exit code 1 if there is any. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  checkArrows,
  checkBannedCalls,
  checkCycles,
  checkDeadFiles,
  checkHeavyImports,
  checkIndexes,
  checkLengths,
  type Finding,
} from './rules.ts';
import { readSources } from './source.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Started by name, not by import: the command's entry and the worker threads' entries. */
const entries = ['src/node/main.ts', 'src/actors/worker/worker_main.ts'];

const files = readSources(root, ['src', 'proto', 'test', 'bench']);
const ratchet = JSON.parse(readFileSync(new URL('ratchet.json', import.meta.url), 'utf8')) as Record<
  string,
  number
>;
const product = files.filter((file) => file.path.startsWith('src/'));
const findings: Finding[] = [
  ...checkArrows(files),
  ...checkCycles(files),
  ...checkBannedCalls(files),
  ...checkHeavyImports(files),
  ...checkLengths(product, ratchet),
  ...checkIndexes(files),
  ...checkDeadFiles(files, entries),
];
for (const { path, line, message } of findings) process.stdout.write(`${path}:${line}: ${message}\n`);
process.stdout.write(`tidy: ${files.length} files, ${findings.length} findings\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
