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
      durationExpressions: true,
      extendedRangeSelectors: true,
      fillModifiers: true,
      delayedNameRemoval: true,
      useStartTimestamps: true,
    },
    subqueryStepMs: minuteMs,
    clock: systemClock,
  });
}

/** Throws ScriptError when the script itself is malformed. */
export async function runScript(text: string, engine: Engine = conformanceEngine()): Promise<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  let storage = new MemoryStorage();
  for (const command of parseScript(text)) {
    if (command.kind === 'clear') {
      storage = new MemoryStorage();
    } else if (command.kind === 'load') {
      storage.load(command);
    } else outcomes.push({ command, verdict: await checkCase(engine, command, storage) });
  }
  return outcomes;
}
