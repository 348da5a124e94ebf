/** `node test/tidy/proto_current.ts`: generates the protobuf code anew beside the checked-in one and compares. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

function filesOf(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length), readFileSync(path, 'utf8')];
    }),
  );
}

const fresh = mkdtempSync(join(tmpdir(), 'torchring-proto-'));
try {
  // The output paths of buf.gen.yaml are relative to `-o`.
  execFileSync(join(root, 'node_modules/.bin/buf'), ['generate', '-o', fresh], {
    cwd: root,
    stdio: 'inherit',
  });
  const now = filesOf(join(root, 'proto/gen'));
  const expected = filesOf(join(fresh, 'proto/gen'));
  const names = [...new Set([...now.keys(), ...expected.keys()])].sort();
  const stale = names.filter((name) => now.get(name) !== expected.get(name));
  for (const name of stale) process.stdout.write(`proto/gen${name} is not what "npm run proto" makes\n`);
  process.stdout.write(`proto: ${names.length} generated files, ${stale.length} stale\n`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} finally {
  rmSync(fresh, { recursive: true });
}
