/**
 * `npm run conformance -- DIR [--strict] [--verbose]`: runs all `*.test` scripts of a folder in Prometheus'
 * promqltest format and prints per file how many cases pass, then what the others lack, and at last the plain
 * line `N passed, N failed`. Exits 0 whatever passes, 2 when the runner itself can't run, and with --strict 1
 * when a case fails. --verbose names every failing case.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type CaseOutcome, runScript } from './run_script.ts';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Why a case failed, short enough to group by. */
function group({ verdict }: CaseOutcome): string {
  return (verdict?.reason ?? '').replace(/[:{(].*$/s, '').slice(0, 80);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { strict: { type: 'boolean' }, verbose: { type: 'boolean' } },
  });
  const [directory] = positionals;
  if (directory === undefined) throw new Error('usage: npm run conformance -- DIR [--strict] [--verbose]');
  const files = (await readdir(directory)).filter((name) => name.endsWith('.test')).sort();
  let passed = 0;
  let failed = 0;
  const reasons = new Map<string, number>();
  for (const name of files) {
    const outcomes = await runScript(await readFile(path.join(directory, name), 'utf8'));
    const failures = outcomes.filter(({ verdict }) => verdict !== undefined);
    print(`${name}: ${outcomes.length - failures.length} passed, ${failures.length} failed`);
    passed += outcomes.length - failures.length;
    failed += failures.length;
    for (const failure of failures) {
      const reason = group(failure);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      if (values.verbose === true) {
        print(`  ${name}:${failure.command.line} ${failure.command.query}\n    ${failure.verdict?.reason}`);
      }
    }
  }
  for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1])) print(`  ${count} x ${reason}`);
  print(`${passed} passed, ${failed} failed`);
  return values.strict === true && failed > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
