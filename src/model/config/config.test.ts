import assert from 'node:assert/strict';
import { test } from 'node:test';
import { field, list, map, newerField, object, optional } from './collections.ts';
import { type DecodeOptions, type Decoder, decodeYaml } from './decoder.ts';
import { ConfigError } from './errors.ts';
import { parseGoUrl } from './go_url.ts';
import { httpClient } from './http_client.ts';
import { parseByteSize, parseGoDuration } from './quantities.ts';
import { relabelConfigs } from './relabel.ts';
import { anyValue, bool, duration, filePath, float, int, secret, string, uint } from './scalars.ts';

interface Sample {
  readonly name: string;
  readonly count: number;
  readonly on: boolean;
  readonly waitMs: number;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly password: string;
  readonly file: string;
  readonly ratio: number;
  readonly child: { readonly name: string } | undefined;
  readonly fresh: boolean;
}

const sample = object<Sample>({
  name: field('name', string, 'unnamed'),
  count: field('count', uint),
  on: field('on', bool, true),
  waitMs: field('wait', duration, 1000),
  tags: field('tags', list(string)),
  labels: field('labels', map(string)),
  password: field('password', secret),
  file: field('file', filePath),
  ratio: field('ratio', float),
  child: field('child', optional(object<{ readonly name: string }>({ name: field('name', string) }))),
  fresh: newerField('fresh', bool),
});

function decodeSample(text: string, options: Partial<DecodeOptions> = {}): Sample {
  return decodeYaml(text, sample, { file: 'a.yml', ...options }, sample.initial()).value;
}

function problems<T>(text: string, decoder: Decoder<T>, options: Partial<DecodeOptions> = {}): string[] {
  try {
    decodeYaml(text, decoder, { file: 'a.yml', ...options });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split('\n');
  }
}

test('an absent field takes its default, a null one the zero value', () => {
  assert.equal(decodeSample('count: 1').name, 'unnamed');
  assert.equal(decodeSample('name:').name, '');
  assert.equal(decodeSample('on: ~').on, false);
  assert.equal(decodeSample('').name, 'unnamed');
});

test('every problem is named with file, line and field', () => {
  const found = problems('name: [a]\ncount: -1\ntags: x\nchild:\n  nam: x\n', sample);
  assert.deepEqual(found, [
    'a.yml:1: name: expected text, got a list',
    'a.yml:2: count: expected a whole number that is not negative, got `-1`',
    'a.yml:3: tags: expected a list, got `x`',
    'a.yml:5: child.nam: unknown field "nam"',
  ]);
});

test('a syntax error names its line', () => {
  assert.match(problems('name: x\n  bad: [', sample)[0] ?? '', /^a\.yml:\d: /);
});

test('a key given twice is refused, at the second line', () => {
  assert.deepEqual(problems('name: a\ncount: 1\nname: b\n', sample), [
    'a.yml:3: name: field name is given twice; first on line 1',
  ]);
});

test('text fields take numbers and booleans as written', () => {
  assert.equal(decodeSample('name: 010').name, '010');
  assert.equal(decodeSample('name: yes').name, 'yes');
  assert.deepEqual(decodeSample('labels: {1: 2.50}').labels, { 1: '2.50' });
});

test('scalars mean what they mean in YAML 1.1', () => {
  assert.equal(decodeSample('on: off').on, false);
  assert.equal(decodeSample('count: 0x10').count, 16);
  assert.equal(decodeSample('count: 010').count, 8);
  assert.equal(decodeSample('count: 1_000').count, 1000);
  assert.equal(decodeSample('count: 1.9').count, 1);
  assert.equal(decodeSample('ratio: .inf').ratio, Number.POSITIVE_INFINITY);
  assert.equal(problems('count: "5"', sample).length, 1);
  assert.equal(problems('on: "true"', sample).length, 1);
});

test('binary scalars are decoded; what is no text is not well-formed', () => {
  assert.equal(decodeSample('name: !!binary "YWI="').name, 'ab');
  assert.equal(decodeSample('name: !!binary "/w=="').name.isWellFormed(), false);
  assert.match(problems('name: !!binary "/w==$1"', sample)[0] ?? '', /invalid base64/);
});

test('anchors, aliases and merge keys work; written keys win over merged ones', () => {
  const text = 'labels: &l {a: x, b: y}\nchild: {<<: {name: merged}, name: own}\ntags: [&t q, *t]';
  const value = decodeSample(text);
  assert.equal(value.child?.name, 'own');
  assert.deepEqual(value.tags, ['q', 'q']);
  assert.match(problems('name: *nowhere', sample)[0] ?? '', /unknown anchor 'nowhere'|nowhere/);
});

test('an alias bomb is refused quickly', () => {
  let text = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 12; i++) {
    const before = `*a${i - 1}`;
    text += `a${i}: &a${i} [${Array.from({ length: 10 }, () => before).join(',')}]\n`;
  }
  const startedMs = performance.now();
  assert.match(problems(text, map(anyValue))[0] ?? '', /excessive aliasing/);
  assert.ok(performance.now() - startedMs < 5000);
});

test('merge keys that would copy without end are refused quickly', () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}: v`).join(', ');
  const merges = Array.from({ length: 20_000 }, (_, i) => `x${i}: {<<: *a}`).join('\n');
  const startMs = performance.now();
  assert.match(problems(`a: &a {${keys}}\n${merges}\n`, map(anyValue))[0] ?? '', /excessive aliasing/);
  assert.ok(performance.now() - startMs < 5_000);
});

test('deep nesting is refused, not followed', () => {
  for (const depth of [300, 20_000]) {
    assert.match(problems('['.repeat(depth) + ']'.repeat(depth), anyValue)[0] ?? '', /nested|aliasing/);
  }
});

test('only the first document counts', () => {
  assert.equal(decodeSample('name: a\n---\nname: b\n').name, 'a');
});

test('secrets are hidden in the shown text', () => {
  const text = 'name: x\npassword: "hunter2" # why\ntags: [a]\n';
  const { shownYaml } = decodeYaml(text, sample, { file: 'a.yml' });
  assert.equal(shownYaml, 'name: x\npassword: <secret> # why\ntags: [a]\n');
});

test('relative paths start at the directory', () => {
  assert.equal(decodeSample('file: x/../y.pem', { directory: '/etc/p' }).file, '/etc/p/y.pem');
  assert.equal(decodeSample('file: /abs.pem', { directory: '/etc/p' }).file, '/abs.pem');
  assert.equal(decodeSample('file: ""', { directory: '/etc/p' }).file, '');
});

test('newer fields are unknown to the 3.5 line', () => {
  assert.equal(decodeSample('fresh: true').fresh, true);
  assert.match(problems('fresh: true', sample, { compatibility: '3.5' })[0] ?? '', /unknown field/);
});

test('a check is reported at the line of the field that it names', () => {
  const checkedSection = object<{ readonly a: number }>({ a: field('a', int) }, ({ a }, report) => {
    if (a > 1) report('a is too big', 'a');
  });
  assert.deepEqual(problems('\n\na: 2', checkedSection), ['a.yml:3: a: a is too big']);
});

test('bearer_token becomes an authorization; credentials exclude each other', () => {
  const client = httpClient();
  const { value } = decodeYaml('bearer_token: abc', client, { file: 'a.yml' });
  assert.deepEqual(value.authorization, {
    type: 'Bearer',
    credentials: 'abc',
    credentialsFile: '',
    credentialsRef: '',
  });
  assert.equal(problems('bearer_token: a\nbasic_auth: {username: u}', client).length, 1);
  assert.equal(problems('tls_config: {cert_file: x}', client).length, 1);
  assert.equal(problems('http_headers: {Host: {values: [x]}}', client).length, 1);
  assert.equal(problems('oauth2: {client_id: x, token_url: y}', client).length, 0);
});

test('relabel rules state what their action needs', () => {
  const rules = relabelConfigs('empty');
  const say = (text: string): string => problems(text, rules).join('|');
  assert.equal(say('- target_label: x'), '');
  assert.match(say('- action: hashmod\n  target_label: x'), /non-zero modulus/);
  assert.match(say('- action: labeldrop\n  regex: x\n  separator: ","'), /requires only 'regex'/);
  assert.match(say('- action: nothing'), /unknown relabel action/);
  assert.match(say('- regex: "("\n  target_label: x'), /a\.yml:1: \[0\]\.regex: /);
  assert.match(say('- ~'), /empty/);
  assert.equal(say('- {action: keepequal, source_labels: [a], target_label: b}'), '');
  assert.match(
    say('- {action: keepequal, source_labels: [a], target_label: b, regex: (.*)}'),
    /and no other fields/,
  );
  const decoded = (text: string): string | undefined =>
    decodeYaml(text, rules, { file: 'a.yml' }).value[0]?.regex;
  assert.equal(decoded('- target_label: x'), '(.*)', 'absent');
  assert.equal(decoded('- target_label: x\n  regex:'), '', 'null');
});

test("URLs parse where Go's parser takes them", () => {
  for (const good of [
    'http://a:9090/x?y#z',
    '',
    'a/b',
    '//host/x',
    'unix:///x',
    'http://[::1]:90',
    'mailto:x',
  ]) {
    assert.doesNotThrow(() => parseGoUrl(good), good);
  }
  for (const bad of [
    'http://a:x',
    ':x',
    'a:b/c d'.replace('a:', '1:'),
    'http://a b',
    'http://%zz',
    '\u0001',
  ]) {
    assert.throws(() => parseGoUrl(bad), bad);
  }
});

test('sizes and Go durations keep their units', () => {
  assert.equal(parseByteSize('1MB'), 2 ** 20);
  assert.equal(parseByteSize('1.5KiB'), 1536);
  assert.throws(() => parseByteSize('100'));
  assert.equal(parseGoDuration('1m1.5s'), 61_500);
  assert.throws(() => parseGoDuration('5'));
});
