/**
 * Runs one script from its first to its last command on a fresh storage.
 */
import { systemClock } from '../../src/base/index.ts';
import { Engine } from '../../src/promql/index.ts';
import { checkCase, type Verdict } from './check_case.ts';
import { MemoryStorage } from './memory_storage.ts';
import { type EvalCommand, parseScript } from './script.ts';

export interface CaseOutcome {
  readonly command: EvalCommand;
  readonly verdict: Verdict;
}

const minuteMs = 60_000;

/** The settings under which Prometheus' own scripts hold. */
export function conformanceEngine(): Engine {
  return new Engine({
    limits: { samplesMax: 10_000, timeoutMs: 100 * minuteMs, lookbackMs: 5 * minuteMs },
    features: {
      experimentalFunctions: true,
      extendedRangeSelectors: true,
      fillModifiers: true,
      delayedNameRemoval: true,
    },
    subqueryStepMs: minuteMs,
    clock: systemClock,
  });
}

/** Throws ScriptError when the script itself is malformed. */
export async function runScript(text: string, engine: Engine = conformanceEngine()): Promise<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  let storage = new MemoryStorage();
  let lacking: string | undefined;
  for (const command of parseScript(text)) {
    if (command.kind === 'clear') {
      storage = new MemoryStorage();
      lacking = undefined;
    } else if (command.kind === 'load') {
      storage.load(command);
      if (command.customBuckets) lacking = 'native histograms with custom buckets from classic ones';
      if (command.startTimestamps) lacking = 'start timestamps';
    } else {
      const verdict = await checkCase(engine, command, storage);
      if (verdict === undefined || verdict.lacking !== undefined || lacking === undefined) {
        outcomes.push({ command, verdict });
      } else outcomes.push({ command, verdict: { ...verdict, lacking } });
    }
  }
  return outcomes;
}
