/**
 * The map of the rooms: which room may import which, and which folders are pure. ARCHITECTURE.md draws it; this file is the law.
 * A room may always import what the rooms it lists may import.
 */
export const roomImports: Readonly<Record<string, readonly string[]>> = {
  'proto/gen': [],
  'src/base': [],
  'src/model': ['src/base'],
  'src/runtime': ['src/base'],
  'src/tsdb': ['src/model'],
  'src/promql': ['src/model'],
  'src/http': ['src/model'],
  'src/scrape': ['src/http'],
  'src/discovery': ['src/http'],
  'src/template': ['src/model'],
  'src/rules': ['src/model', 'src/template'],
  'src/alertmanager': ['src/http', 'src/template'],
  'src/pushgateway': ['src/model'],
  'src/remote': ['src/model', 'proto/gen'],
  'src/cluster': ['src/model', 'proto/gen'],
  'src/query': ['src/promql', 'proto/gen'],
  'src/actors': [
    'src/runtime',
    'src/tsdb',
    'src/scrape',
    'src/discovery',
    'src/rules',
    'src/alertmanager',
    'src/remote',
    'src/query',
    'src/cluster',
  ],
  'src/api': ['src/model'],
  'src/exporters': ['src/model'],
  'src/node': ['src/actors', 'src/api', 'src/pushgateway'],
};

/** Folders whose code is a function of its arguments: no I/O, clock, timers or randomness of their own. */
export const pureFolders: readonly string[] = [
  'src/cluster/gossip',
  'src/cluster/ring',
  'src/cluster/raft',
  'src/cluster/control',
];

/** Folders where only `src/base` may touch the clock, timers and randomness directly. */
export const injectedTimeFolders: readonly string[] = [
  'src/model',
  'src/runtime',
  'src/tsdb',
  'src/promql',
  'src/http',
  'src/scrape',
  'src/discovery',
  'src/template',
  'src/rules',
  'src/alertmanager',
  'src/remote',
  'src/cluster',
  'src/query',
  'src/actors',
];

/** A file's room, or undefined outside the rooms (tests of the whole, benches, scripts). */
export function roomOf(path: string): string | undefined {
  return Object.keys(roomImports).find((room) => path.startsWith(`${room}/`));
}

/** Every room that `room` may import, itself excluded. */
export function reachable(room: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const next of roomImports[from] ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(room);
  return found;
}
