// The sections of the two mechanisms that need no other system: targets written in the configuration file
// and targets written in files beside it.

/** Targets that share labels. `labels` hold no `__address__`; an address is `host:port`. */
export interface StaticGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface StaticConfig {
  readonly mechanism: 'static';
  readonly groups: readonly StaticGroup[];
}

export interface FileSdConfig {
  readonly mechanism: 'file';
  /** Absolute or joined with the configuration file's directory; the last element may hold a `*`. */
  readonly files: readonly string[];
  readonly refreshIntervalMs: number;
}
