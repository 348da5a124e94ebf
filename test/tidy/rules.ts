/**
 * The rules of tidiness, each a function from the parsed tree to findings. In the sense of TigerBeetle's tidy.zig:
 * what a reviewer would say every time is said by a check, with the name of what to use instead.
 */
import { injectedTimeFolders, pureFolders, reachable, roomOf } from './rooms.ts';
import type { SourceFile } from './source.ts';

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Longest function in product code. */
const functionLinesMax = 70;
/** Longest file. */
const fileLinesMax = 600;

const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/testing/');
const isGenerated = (path: string): boolean => path.includes('/gen/');
const inFolders = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path.startsWith(`${folder}/`));

/** Imports follow the arrows of the room map, and enter another room by its index.ts only. */
export function checkArrows(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    const room = roomOf(file.path);
    if (room === undefined) continue;
    const allowed = reachable(room);
    for (const { target, line } of file.imports) {
      if (target === undefined || !target.endsWith('.ts')) continue;
      const targetRoom = roomOf(target);
      if (targetRoom === room) {
        if (target === `${room}/index.ts` && !isTest(file.path)) {
          findings.push({ path: file.path, line, message: `imports its own room's index; import the file` });
        }
        continue;
      }
      if (targetRoom === undefined) {
        if (!isTest(file.path))
          findings.push({ path: file.path, line, message: `imports ${target}, which is in no room` });
      } else if (!allowed.has(targetRoom)) {
        findings.push({
          path: file.path,
          line,
          message: `${room} may not import ${targetRoom} (test/tidy/rooms.ts)`,
        });
      } else if (
        target !== `${targetRoom}/index.ts` &&
        targetRoom !== 'proto/gen' &&
        !target.includes('/testing/')
      ) {
        findings.push({
          path: file.path,
          line,
          message: `reaches into ${targetRoom}; import ${targetRoom}/index.ts`,
        });
      } else if (target.includes('/testing/') && !isTest(file.path)) {
        findings.push({ path: file.path, line, message: `product code imports a test suite: ${target}` });
      }
    }
  }
  return findings;
}

/** No import cycles among files, type-only imports excepted. */
export function checkCycles(files: readonly SourceFile[]): Finding[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const state = new Map<string, 'open' | 'done'>();
  const findings: Finding[] = [];
  const stack: string[] = [];
  const visit = (path: string): void => {
    const file = byPath.get(path);
    if (file === undefined || state.get(path) === 'done') return;
    state.set(path, 'open');
    stack.push(path);
    for (const { target, typeOnly, line } of file.imports) {
      if (target === undefined || typeOnly) continue;
      if (state.get(target) === 'open') {
        const cycle = [...stack.slice(stack.indexOf(target)), target].join(' → ');
        findings.push({ path, line, message: `import cycle: ${cycle}` });
      } else visit(target);
    }
    stack.pop();
    state.set(path, 'done');
  };
  for (const file of files) visit(file.path);
  return findings;
}

const bannedTimeCalls: Readonly<Record<string, string>> = {
  'Date.now': 'Clock.nowMs',
  'new Date()': 'Clock.nowMs',
  'performance.now': 'Clock.monotonicMs',
  'process.hrtime': 'Clock.monotonicMs',
  'process.hrtime.bigint': 'Clock.monotonicMs',
  'Math.random': 'Random.next',
  setTimeout: 'Clock.after',
  setInterval: 'Clock.after',
};

/** An import of these runs their getters, one of which loads a second HTTP client and HTTP/2 into the thread. */
const heavyModules: readonly string[] = ['node:http', 'node:https', 'node:http2'];

/** What every thread of a node would pay for with megabytes. */
export function checkHeavyImports(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => path.startsWith('src/') && !isTest(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier, typeOnly }) => heavyModules.includes(specifier) && !typeOnly)
        .map(({ specifier, line }) => ({
          path,
          line,
          message: `imports ${specifier}; call process.getBuiltinModule('${specifier}')`,
        })),
    );
}

/** Time and chance come in as arguments; pure folders do no I/O. */
export function checkBannedCalls(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (isTest(file.path)) continue;
    if (inFolders(file.path, injectedTimeFolders)) {
      for (const { name, line } of file.calls) {
        const instead = Object.hasOwn(bannedTimeCalls, name) ? bannedTimeCalls[name] : undefined;
        if (instead !== undefined)
          findings.push({ path: file.path, line, message: `calls ${name}; use ${instead}` });
      }
    }
    if (inFolders(file.path, pureFolders)) {
      for (const { specifier, line } of file.imports) {
        if (specifier.startsWith('node:')) {
          findings.push({
            path: file.path,
            line,
            message: `imports ${specifier} in a pure folder; do I/O in a shell`,
          });
        }
      }
    }
  }
  return findings;
}

/**
 * Functions fit on a screen and files in a head. `known` holds the lengths that are tolerated today, as a ratchet:
 * they may shrink, not grow, and an entry that is no longer needed must go.
 */
export function checkLengths(
  files: readonly SourceFile[],
  known: Readonly<Record<string, number>>,
): Finding[] {
  const findings: Finding[] = [];
  const used = new Set<string>();
  const judge = (key: string, lines: number, limit: number, at: Omit<Finding, 'message'>): void => {
    const tolerated = known[key] ?? limit;
    if (lines > limit) used.add(key);
    if (lines > tolerated)
      findings.push({ ...at, message: `${key} has ${lines} lines, ${tolerated} are allowed` });
  };
  for (const file of files) {
    if (isTest(file.path) || isGenerated(file.path)) continue;
    judge(file.path, file.lines, fileLinesMax, { path: file.path, line: 1 });
    for (const { name, line, lines } of file.functions) {
      judge(`${file.path}#${name}`, lines, functionLinesMax, { path: file.path, line });
    }
  }
  for (const key of Object.keys(known)) {
    if (!used.has(key))
      findings.push({
        path: key.split('#')[0] ?? key,
        line: 1,
        message: `${key} is short now: take it out of the ratchet`,
      });
  }
  return findings;
}

/** A room's index.ts is a list of re-exports. */
export function checkIndexes(files: readonly SourceFile[]): Finding[] {
  return files
    .filter((file) => /^src\/[a-z]+\/index\.ts$/.test(file.path) && !file.onlyReexports)
    .map((file) => ({ path: file.path, line: 1, message: 'an index.ts holds re-exports only' }));
}

/** Every product file is imported by something or is an entry; tests and benches are entries. */
export function checkDeadFiles(files: readonly SourceFile[], entries: readonly string[]): Finding[] {
  const imported = new Set(entries);
  for (const file of files)
    for (const { target } of file.imports) if (target !== undefined) imported.add(target);
  return files
    .filter(
      ({ path }) =>
        path.startsWith('src/') && !path.endsWith('.d.ts') && !isTest(path) && !imported.has(path),
    )
    .map(({ path }) => ({ path, line: 1, message: 'is imported by nothing' }));
}
