// Compares verdicts on a collection of real configuration files with those of the real tools. The collection is
// not part of this repository: TORCHRING_CONFIG_CASES_DIR names a directory with the folders prometheus, rules
// and alertmanager, each with files and a VERDICTS.tsv (file, good or bad, the tool's message).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../model/index.ts';
import { runCheck } from './check.ts';
import type { CheckKind } from './cli.ts';

const directory = process.env['TORCHRING_CONFIG_CASES_DIR'] ?? '';
const skip =
  directory === '' ? 'SKIPPED: TORCHRING_CONFIG_CASES_DIR is not set, no real cases were compared' : false;

const folders: readonly (readonly [folder: string, kind: CheckKind])[] = [
  ['prometheus', 'config'],
  ['rules', 'rules'],
  ['alertmanager', 'alertmanager'],
];

for (const [folder, kind] of folders) {
  test(`verdicts on ${folder} files are those of the real tool, with a line`, { skip }, async () => {
    const [, ...rows] = readFileSync(join(directory, folder, 'VERDICTS.tsv'), 'utf8')
      .trimEnd()
      .split('\n');
    assert.ok(rows.length > 0);
    for (const row of rows) {
      const [file = '', verdict] = row.split('\t');
      let said = '';
      const output = {
        out: () => {},
        error: (text: string) => {
          said += text;
        },
      };
      const options = { syntaxOnly: true, compatibility: '3.5', enabledFeatures: [] } as const;
      const exitCode = await runCheck(kind, [join(directory, folder, file)], options, output);
      assert.equal(exitCode === 0 ? 'good' : 'bad', verdict, `${file}: ${said}`);
      if (exitCode !== 0)
        assert.match(said, new RegExp(`${file.replaceAll('.', '\\.')}:[1-9][0-9]*: `), file);
    }
  });
}

test('a bad file is a ConfigError with the line as a number', () => {
  const error = new ConfigError('x.yml', [{ line: 3, column: 1, field: 'a.b', message: 'wrong' }]);
  assert.equal(error.message, 'x.yml:3: a.b: wrong');
  assert.equal(error.line, 3);
});
