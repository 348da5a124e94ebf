// A relabeling rule as written in configuration. It lives here and not in the scrape room because targets,
// scraped samples, alerts and remote writes all carry such rules, and rooms beside each other don't import
// each other. Plain data: whoever applies a rule compiles its pattern once.

export type RelabelAction =
  | 'replace'
  | 'keep'
  | 'drop'
  | 'keepequal'
  | 'dropequal'
  | 'hashmod'
  | 'labelmap'
  | 'labeldrop'
  | 'labelkeep'
  | 'lowercase'
  | 'uppercase';

export interface RelabelConfig {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  /** Default `;`. */
  readonly separator: string;
  /** RE2 pattern, to be fully anchored with dot matching newline; known to compile. Default `(.*)`. */
  readonly regex: string;
  /** 0 unless the action is hashmod. A uint64 that fits a double in every sane use. */
  readonly modulus: number;
  readonly targetLabel: string;
  /** Default `$1`. */
  readonly replacement: string;
}
