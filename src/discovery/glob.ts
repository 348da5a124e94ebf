/** File name patterns: `*` stands for any characters in the last element of a path, `?` for one. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Whether the whole name matches; in time of name × pattern at worst. */
export function matchesWildcard(name: string, pattern: string): boolean {
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let retryAt = 0;
  while (at < name.length) {
    const wanted = pattern[patternAt];
    if (wanted === '*') {
      starAt = patternAt++;
      retryAt = at;
    } else if (wanted !== undefined && (wanted === '?' || wanted === name[at])) {
      patternAt++;
      at++;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      at = ++retryAt;
    } else return false;
  }
  while (pattern[patternAt] === '*') patternAt++;
  return patternAt === pattern.length;
}

/** The existing files that a path with wildcards in its last element names, sorted. */
export async function expandGlob(path: string): Promise<string[]> {
  const directory = dirname(path);
  const pattern = basename(path);
  if (!/[*?]/.test(pattern)) return [path];
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => matchesWildcard(name, pattern))
    .sort()
    .map((name) => join(directory, name));
}
