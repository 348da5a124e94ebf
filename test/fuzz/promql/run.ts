/**
 * `npm run fuzz:promql -- [--texts N] [--seed N] [--show N]`: the parser under random and mutated texts, in its long form.
 * `--show` prints one text and what becomes of it.
 */
import { parseArgs } from 'node:util';
import { parseExpr, printExpr } from '../../../src/promql/index.ts';
import { fuzz } from './fuzz.ts';
import { drawText } from './strings.ts';

const { values } = parseArgs({
  options: {
    texts: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    show: { type: 'string' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const seed = Number(values.seed);

if (values.show !== undefined) {
  const text = drawText(seed, Number(values.show));
  print(text);
  print(printExpr(parseExpr(text)));
} else {
  const report = (done: number): void => print(`${done} texts`);
  const { troubles, ...result } = await fuzz({ seed, texts: Number(values.texts), report });
  for (const { index, what } of troubles) {
    print(`${index}: ${what}\n  ${JSON.stringify(drawText(seed, index).slice(0, 200))}`);
  }
  print(JSON.stringify({ seed, ...result, troubles: troubles.length }));
  if (troubles.length > 0) process.exitCode = 1;
}
