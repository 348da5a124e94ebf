import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels, type RelabelAction, type RelabelConfig } from '../model/index.ts';
import { Relabeler } from './relabel.ts';

const relabel = (labels: Labels, rules: readonly RelabelConfig[]): Labels | undefined =>
  new Relabeler(rules).relabel(labels);

const rule = (action: RelabelAction, changes: Partial<RelabelConfig> = {}): RelabelConfig => ({
  action,
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
  ...changes,
});

const after = (
  labels: Record<string, string>,
  ...rules: RelabelConfig[]
): Record<string, string> | undefined => relabel(Labels.fromRecord(labels), rules)?.toRecord();

test('replace expands groups into the name and the value; an empty result deletes', () => {
  const source = { sourceLabels: ['a', 'b'], regex: '(f.*);(?P<rest>.*)' };
  assert.deepEqual(
    after(
      { a: 'foo', b: 'bar' },
      rule('replace', { ...source, targetLabel: 'd', replacement: '$2-$1-$rest' }),
    ),
    {
      a: 'foo',
      b: 'bar',
      d: 'bar-foo-bar',
    },
  );
  assert.deepEqual(
    after({ a: 'foo', b: 'bar' }, rule('replace', { ...source, targetLabel: 'x_$1', replacement: 'v' })),
    {
      a: 'foo',
      b: 'bar',
      x_foo: 'v',
    },
  );
  assert.deepEqual(
    after(
      { a: 'foo' },
      rule('replace', { sourceLabels: ['a'], regex: 'fo', targetLabel: 'a', replacement: 'x' }),
    ),
    { a: 'foo' },
  );
  assert.deepEqual(
    after(
      { a: 'foo' },
      rule('replace', { sourceLabels: ['a'], regex: 'foo', targetLabel: 'a', replacement: '$9' }),
    ),
    {},
  );
  assert.deepEqual(
    after(
      { a: 'x\ny' },
      rule('replace', { sourceLabels: ['a'], regex: 'x.y', targetLabel: 'a', replacement: 'z' }),
    ),
    { a: 'z' },
  );
  assert.deepEqual(after({ a: '1' }, rule('replace', { targetLabel: 'c', replacement: 'const' })), {
    a: '1',
    c: 'const',
  });
});

test('keep, drop, keepequal, dropequal decide; later rules see what earlier ones did', () => {
  const labels = { a: 'foo', b: 'foo', c: 'bar' };
  assert.deepEqual(after(labels, rule('keep', { sourceLabels: ['a'], regex: 'fo+' })), labels);
  assert.equal(after(labels, rule('keep', { sourceLabels: ['a'], regex: 'f' })), undefined);
  assert.equal(after(labels, rule('drop', { sourceLabels: ['a', 'c'], regex: 'foo;bar' })), undefined);
  assert.deepEqual(after(labels, rule('keepequal', { sourceLabels: ['a'], targetLabel: 'b' })), labels);
  assert.equal(after(labels, rule('keepequal', { sourceLabels: ['a'], targetLabel: 'c' })), undefined);
  assert.equal(after(labels, rule('dropequal', { sourceLabels: ['a'], targetLabel: 'b' })), undefined);
  assert.equal(
    after(
      labels,
      rule('replace', { targetLabel: 'a', replacement: 'x' }),
      rule('drop', { sourceLabels: ['a'], regex: 'x' }),
    ),
    undefined,
  );
});

test('labelmap, labeldrop and labelkeep look at names', () => {
  assert.deepEqual(after({ __meta_my_bar: 'v', a: '1' }, rule('labelmap', { regex: '__meta_(my_.*)' })), {
    __meta_my_bar: 'v',
    a: '1',
    my_bar: 'v',
  });
  assert.deepEqual(after({ ab: '1', b: '2' }, rule('labeldrop', { regex: 'a.*' })), { b: '2' });
  assert.deepEqual(after({ ab: '1', b: '2' }, rule('labelkeep', { regex: 'a.*' })), { ab: '1' });
});

test('case is mapped character by character', () => {
  const to = { sourceLabels: ['a'], targetLabel: 'b' };
  assert.equal(relabel(Labels.fromRecord({ a: 'ÄbC' }), [rule('lowercase', to)])?.get('b'), 'äbc');
  assert.equal(relabel(Labels.fromRecord({ a: 'äbßᾀᾳŉ' }), [rule('uppercase', to)])?.get('b'), 'ÄBßᾈᾼŉ');
  assert.equal(relabel(Labels.fromRecord({ a: 'İᾈΣ' }), [rule('lowercase', to)])?.get('b'), 'iᾀσ');
});

test('hashmod is the last half of the MD5, big endian', () => {
  const to = { sourceLabels: ['c'], targetLabel: 'd', modulus: 1000 };
  // The value that Prometheus' own documentation of this action has been tested with.
  assert.equal(relabel(Labels.fromRecord({ c: 'baz' }), [rule('hashmod', to)])?.get('d'), '976');
});

/** Source labels joined, whole-string match by the platform's engine, on patterns where both engines agree. */
function naive(labels: Record<string, string>, config: RelabelConfig): Record<string, string> | undefined {
  const value = config.sourceLabels.map((name) => labels[name] ?? '').join(config.separator);
  const pattern = new RegExp(`^(?:${config.regex})$`, 's');
  const set = (name: string, to: string): Record<string, string> => {
    const { [name]: _, ...rest } = labels;
    return to === '' ? rest : { ...rest, [name]: to };
  };
  switch (config.action) {
    case 'keep':
      return pattern.test(value) ? labels : undefined;
    case 'drop':
      return pattern.test(value) ? undefined : labels;
    case 'replace': {
      const groups = pattern.exec(value);
      return groups === null
        ? labels
        : set(config.targetLabel, config.replacement.replace('$1', groups[1] ?? ''));
    }
    case 'labeldrop':
      return Object.fromEntries(Object.entries(labels).filter(([name]) => !pattern.test(name)));
    case 'labelkeep':
      return Object.fromEntries(Object.entries(labels).filter(([name]) => pattern.test(name)));
    case 'keepequal':
      return value === (labels[config.targetLabel] ?? '') ? labels : undefined;
    case 'dropequal':
      return value === (labels[config.targetLabel] ?? '') ? undefined : labels;
    case 'hashmod': {
      const hex = createHash('md5').update(value).digest('hex').slice(16);
      return set(config.targetLabel, String(BigInt(`0x${hex}`) % BigInt(config.modulus)));
    }
    default:
      throw new Error(config.action);
  }
}

test('rules agree with a naive reading of the documentation', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'ab');
  const value = fc.constantFrom('', 'a', 'b', 'ab', 'a;b', 'x\ny');
  const config = fc.record<RelabelConfig>({
    action: fc.constantFrom(
      'keep',
      'drop',
      'replace',
      'labeldrop',
      'labelkeep',
      'keepequal',
      'dropequal',
      'hashmod',
    ),
    sourceLabels: fc.array(name, { maxLength: 3 }),
    separator: fc.constantFrom(';', '', '-'),
    regex: fc.constantFrom('(.*)', 'a', 'a|b', '(a).*', '(.+);.*', '', '[ab]+', 'x.y'),
    modulus: fc.integer({ min: 1, max: 1000 }),
    targetLabel: name,
    replacement: fc.constantFrom('$1', 'z', '', 'p$1q'.replace('q', '-')),
  });
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.array(config, { maxLength: 4 }), (labels, configs) => {
      let expected: Record<string, string> | undefined = Labels.fromRecord(labels).toRecord();
      for (const one of configs) if (expected !== undefined) expected = naive(expected, one);
      assert.deepEqual(after(labels, ...configs), expected && Labels.fromRecord(expected).toRecord());
    }),
    { numRuns: 1000 },
  );
});
