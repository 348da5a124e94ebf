/**
 * Holds the documentation to the code, in both directions where both can be listed: flags, metrics, error codes, HTTP
 * routes, npm scripts, file names, and links between pages.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { environmentName, flagTable } from '../../src/node/flag_table.ts';
import { ignoredFlags } from '../../src/node/ignored_flags.ts';

const root = join(import.meta.dirname, '../..');

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Paths from the root, of files below `folder` whose name matches. */
function filesBelow(folder: string, name: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

const all = (text: string, pattern: RegExp): string[] =>
  Array.from(text.matchAll(pattern), (match) => match[1] ?? '');

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

const sourceFiles = filesBelow('src', /\.ts$/).filter(
  (path) => !path.endsWith('.test.ts') && !path.includes('/testing/'),
);
const sources = new Map(sourceFiles.map((path) => [path, read(path)]));

/** Every `code span` in the first column of the page's tables. */
function firstColumn(page: string): string[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => all(line.split(/(?<!\\)\|/)[1] ?? '', /`([^`]+)`/g));
}

/** The part of a page from a heading to the next of its rank. */
function section(page: string, heading: string): string {
  const from = page.indexOf(`## ${heading}\n`);
  assert.ok(from >= 0, `there is a heading ${heading}`);
  const to = page.indexOf('\n## ', from + 1);
  return page.slice(from, to < 0 ? undefined : to);
}

test('docs/flags.md has every flag with its environment variable, and no other', () => {
  const page = read('docs/flags.md');
  const nodePage = page.slice(0, page.indexOf('## torchring local'));
  const known = Object.values(flagTable).map(({ name }) => name);
  const documented = firstColumn(nodePage).map((span) => span.replace(/^--/, '').replace(/ .*$/, ''));
  assert.deepEqual(sorted(documented), sorted(known));
  for (const name of known) {
    const row = nodePage.split('\n').find((line) => line.startsWith(`| \`--${name}`));
    assert.match(row ?? '', new RegExp(`\`${environmentName(name)}\``), name);
  }
  const ignored = all(section(page, "Taken for Prometheus' sake"), /`--([^`]+)`/g);
  assert.deepEqual(sorted(ignored), sorted(Object.keys(ignoredFlags)));
});

test('docs/flags.md marks what the flag table says is not done yet', () => {
  const page = read('docs/flags.md');
  for (const { name, notYet } of Object.values(flagTable)) {
    if (notYet === undefined) continue;
    const row = page.split('\n').find((line) => line.startsWith(`| \`--${name}`)) ?? '';
    assert.match(row, /not yet|not encrypted yet/i, `--${name} is said not to work yet`);
  }
});

test('docs/metrics.md has every metric that the code makes, and no other', () => {
  const made = [...sources.values()]
    .filter((text) => text.includes("'prom-client'"))
    .flatMap((text) => all(text, /'((?:torchring|prometheus|alertmanager)_[a-z0-9_]+)'/g));
  const page = read('docs/metrics.md');
  const documented = all(page, /`((?:torchring|prometheus|alertmanager)_[a-z0-9_]+)`/g);
  assert.deepEqual(sorted(documented), sorted(made));
});

/** Codes as the rooms write them: in lists and unions of errors.ts, and where a coded error is made. */
function codesOf(path: string, text: string): string[] {
  const made = all(text, /new CodedError\(\s*'([A-Za-z_]+)'/g).concat(
    all(text, /new [A-Z]\w*Error\(\s*'([A-Za-z]+_[A-Za-z_]+)'/g),
  );
  if (!path.endsWith('errors.ts')) return made;
  const listed = all(text, /[eE]rrorCodes = \{([^}]*)\}/g).flatMap((body) => all(body, /: '([^']+)'/g));
  const unions = all(text, /ErrorCode =([^;]*);/g).flatMap((body) => all(body, /'([^']+)'/g));
  return [...made, ...all(text, /super\(\s*'([A-Za-z_]+)'/g), ...listed, ...unions];
}

test('docs/errors.md has every error code of the rooms, and no other', () => {
  const codes = [...sources].flatMap(([path, text]) => codesOf(path, text));
  const page = read('docs/errors.md');
  const errorTypes = firstColumn(section(page, 'What HTTP clients see'));
  const documented = firstColumn(page);
  const missing = sorted(codes).filter((code) => !documented.includes(code));
  assert.deepEqual(missing, [], 'codes without a line');
  const anywhere = [...sources.values()].join('\n');
  const unknown = documented.filter(
    (code) => !codes.includes(code) && !errorTypes.includes(code) && !anywhere.includes(`'${code}'`),
  );
  assert.deepEqual(sorted(unknown), [], 'lines without a code');
});

const pages = [
  ...filesBelow('docs', /\.md$/),
  ...filesBelow('bench', /\.md$/),
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
];

test('npm scripts that the pages name exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const page of pages) {
    const named = all(read(page), /npm run ([a-z:]+)/g);
    for (const script of named) assert.ok(script in scripts, `${page} names npm run ${script}`);
  }
});

test('docs/http-api.md has every route', () => {
  const page = read('docs/http-api.md');
  const routes = [...sources]
    .filter(([path]) => path.startsWith('src/api/'))
    .flatMap(([, text]) => all(text, /(?:route|get|post|delete|lifecycle)\(\s*'(\/[^'*]+)'/g));
  assert.ok(routes.length > 20, 'routes are found');
  for (const route of routes) {
    const shown = route.replace(/:name/, 'NAME').replace(/:id/, 'ID');
    assert.ok(page.includes(shown.replace(/^\/status\//, '')), `a line for ${route}`);
  }
});

test('files and folders that the pages name exist', () => {
  for (const page of pages) {
    for (const path of all(read(page), /`((?:src|test|bench|docs|proto|docker)\/[\w./-]*)`/g)) {
      assert.ok(existsSync(join(root, path)), `${page} names ${path}`);
    }
  }
});

/** A heading's anchor as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

test('links between pages lead somewhere', () => {
  for (const page of pages) {
    for (const link of all(read(page), /\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, target)), `${page} links to ${link}`);
      if (anchor === undefined) continue;
      const anchors = all(read(target), /^#+ (.*)$/gm).map(anchorOf);
      assert.ok(anchors.includes(anchor), `${page} links to ${link}: no such heading`);
    }
  }
});
