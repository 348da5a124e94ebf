// What can be wrong with a configuration file. A file is read to its end and everything found is reported at
// once, each with its line and field, because mending a file one error at a time is tedious.
import { CodedError } from '../../base/index.ts';

/** One thing wrong. `line` counts from 1; `field` is a path such as `scrape_configs[0].job_name`. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  /** Empty when the whole document is meant. */
  readonly field: string;
  readonly message: string;
}

/** Problems shown in one error; more are counted. */
const shownMax = 20;

/** `file:line: field: message`. */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const field = problem.field === '' ? '' : `${problem.field}: `;
  return `${file}:${problem.line}: ${field}${problem.message}`;
}

/** A configuration file that cannot be used. The message lists the problems, one a line. */
export class ConfigError extends CodedError {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];
  /** The first problem's place. */
  readonly line: number;
  readonly field: string;

  constructor(file: string, problems: readonly ConfigProblem[], options?: { cause?: unknown }) {
    const lines = problems.slice(0, shownMax).map((problem) => formatProblem(file, problem));
    if (problems.length > shownMax) lines.push(`${file}: and ${problems.length - shownMax} more problems`);
    super('bad_config', lines.join('\n'), options);
    this.file = file;
    this.problems = problems;
    this.line = problems[0]?.line ?? 1;
    this.field = problems[0]?.field ?? '';
  }
}
