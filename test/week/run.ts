/** `npm run test:week -- [--days N] [--series N]`: a week of scrapes through one node, in its long form. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runWeek } from './week.ts';

const { values } = parseArgs({
  options: { days: { type: 'string', default: '7' }, series: { type: 'string', default: '500' } },
});
const days = Number(values.days);
const series = Number(values.series);
if (!(Number.isSafeInteger(days) && days > 0 && Number.isSafeInteger(series) && series > 0)) {
  process.stderr.write('usage: node test/week/run.ts --days N --series N\n');
  process.exitCode = 2;
} else {
  const directory = mkdtempSync(join(tmpdir(), 'torchring-week-'));
  try {
    const onProgress = (text: string): boolean => process.stdout.write(`${text}\n`);
    const outcome = await runWeek(directory, { days, series, onProgress });
    const { residentBytes, samples, diskBytes, wrong } = outcome;
    process.stdout.write(`${JSON.stringify({ ...outcome, bytesPerSample: diskBytes / samples }, null, 2)}\n`);
    const growth = (residentBytes.at(-1) ?? 0) / (residentBytes[Math.floor(residentBytes.length / 2)] ?? 1);
    process.stdout.write(
      `${wrong.length} wrong answers, memory of the end ${growth.toFixed(2)} of the middle\n`,
    );
    if (wrong.length > 0 || growth > 1.2) process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
