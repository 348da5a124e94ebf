/** How a rule's last evaluation went, as the rules API shows it. */
import type { RuleHealth } from './types.ts';

export class RuleStatus {
  health: RuleHealth = 'unknown';
  lastError = '';
  /** When it was last evaluated, wall time; undefined before the first time. */
  lastEvaluationMs: number | undefined;
  evaluationDurationMs = 0;

  succeed(): void {
    this.health = 'ok';
    this.lastError = '';
  }

  fail(message: string): void {
    this.health = 'err';
    this.lastError = message;
  }
}
