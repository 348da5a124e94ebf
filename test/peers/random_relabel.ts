/**
 * Random relabeling rules and label sets for them to work on, drawn so that rules often match, overwrite each other and
 * produce odd names. Left out is only what Prometheus itself answers by chance: a `labelmap` that gives two labels one
 * name, since its order of labels is random.
 */
import type { Random } from '../../src/base/index.ts';

type Rule = Record<string, string | number | readonly string[]>;

const labelNames = [
  '__address__',
  '__meta_a',
  '__meta_b_c',
  '__meta_ünï.x',
  '__param_q',
  'job',
  'x',
  'y',
  'utf8.name',
  'absent',
] as const;
const targetNames = [
  'x',
  'y',
  'new',
  'job',
  'instance',
  '__address__',
  '__scheme__',
  '__metrics_path__',
  '__param_q',
  '__scrape_interval__',
  '__tmp',
  '__meta_a',
  'utf8.näme',
  't_$1',
  'p_$' + '{1}_s',
  '$1',
  '$2',
  'q$$1',
  '$' + '{name}x',
  '1digit',
] as const;
const patterns = [
  '(.*)',
  '(.+)',
  '.*',
  '',
  'foo',
  'fo+|bar',
  '(foo|bar)(.*)',
  '(?P<name>[a-z]+);(.*)',
  '(?i)FOO.*',
  '([^:]+)(?::(\\d+))?',
  '([^;]*);?(.*)',
  'a.b',
  '\\d+',
  '(.)(.*)',
  '^foo$',
  '[[:alpha:]]+',
  '\\pL+',
  '(a)|(b)|(.+)',
  '(?:x|y)?(.*?)(z*)',
  'ß.*|.*☃',
] as const;
const replacements = [
  '$1',
  '$2',
  '$0',
  'c',
  '',
  '$1-$2',
  '$' + '{1}x',
  '$1x',
  '$name',
  '$$',
  '$$1',
  '$' + '{2}:80',
  '$',
  '${',
  'é$1',
  '$9',
] as const;
const namePatterns = [
  'x',
  'y|job',
  '__meta_.*',
  '__meta_(.+)',
  '.*',
  '[a-z]+',
  'utf8.*',
  '__param_(.*)',
  'nothing',
  '(.)(.*)',
  '__address__',
] as const;
const values = [
  'foo',
  'bar',
  'FooBar',
  'foo:9090',
  'a\nb',
  'straße ☃',
  'ÀÉ ǅ ŉ ΐ ᾀ ﬁ İ ı ς Σ',
  '123',
  '',
  'x;y',
  '/p/q?r',
  '30s',
  'https',
  'zzz',
] as const;
const separators = [';', '', ':', '-', '☃'] as const;

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;

function sources(random: Random): string[] {
  return Array.from({ length: random.below(4) }, () => pick(random, labelNames));
}

const makers: readonly ((random: Random, index: number) => Rule)[] = [
  ...Array.from(
    { length: 5 },
    () =>
      (random: Random): Rule => ({
        source_labels: sources(random),
        separator: pick(random, separators),
        regex: pick(random, patterns),
        target_label: pick(random, targetNames),
        replacement: pick(random, replacements),
        action: 'replace',
      }),
  ),
  (random) => ({
    source_labels: sources(random),
    regex: pick(random, patterns),
    action: pick(random, ['keep', 'drop', 'Drop']),
  }),
  (random) => ({
    source_labels: sources(random).slice(0, 1),
    target_label: pick(random, labelNames),
    action: pick(random, ['keepequal', 'dropequal']),
  }),
  (random) => ({
    source_labels: sources(random),
    target_label: pick(random, labelNames),
    action: pick(random, ['lowercase', 'uppercase']),
  }),
  (random) => ({
    source_labels: sources(random),
    target_label: pick(random, ['x', 'shard', '__tmp']),
    modulus: pick(random, [1, 2, 7, 1000, 4_294_967_296]),
    action: 'hashmod',
  }),
  // Names that no other rule makes, so that no two labels get one.
  (random, index) => ({ regex: pick(random, namePatterns), replacement: `m${index}_$0`, action: 'labelmap' }),
  (_, index) => ({ regex: '__meta_(.+)', replacement: `m${index}_$1`, action: 'labelmap' }),
  (random) => ({ regex: pick(random, namePatterns), action: pick(random, ['labeldrop', 'labelkeep']) }),
];

export function randomRules(random: Random): Rule[] {
  return Array.from({ length: 1 + random.below(5) }, (_, index) => pick(random, makers)(random, index));
}

/** Groups as in `static_configs`. */
export function randomGroups(random: Random): object[] {
  return Array.from({ length: 3 }, (_, index) => {
    const labels = labelNames
      .filter((name) => name !== '__address__' && name !== 'absent' && random.below(3) > 0)
      .map((name) => [name, pick(random, values)]);
    return { targets: [`foo:${index}`], labels: Object.fromEntries(labels) };
  });
}
