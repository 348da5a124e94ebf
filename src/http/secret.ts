/** Secrets in files, read anew for each use, so that rotated ones are seen at once. */
import { readFile } from 'node:fs/promises';

/** Rejects when the file can't be read. */
export async function readSecret(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}
