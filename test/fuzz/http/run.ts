/** `npm run fuzz:http -- [--minutes N] [--seed N]`: attacks on a node for a long time. Fails at the first of too many. */
import { parseArgs } from 'node:util';
import { attack } from './attack.ts';

const residentBytesMax = 2.5e9;
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const ends: (() => unknown)[] = [];
const context = { after: (end?: unknown) => void ends.push(end as () => unknown) };
try {
  const outcome = await attack(context, {
    seed: Number(values.seed),
    requestsMax: Number.POSITIVE_INFINITY,
    minutesMax: Number(values.minutes),
    requestsPerStream: 2_000,
    onProgress: (text) => void process.stdout.write(`${text}\n`),
  });
  process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  if (outcome.bad.length > 0 || outcome.residentBytes.peak > residentBytesMax) process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) await end();
}
