/**
 * Draws query texts to annoy a parser with: valid queries, these mutated, tokens in a row, characters in a row, and short
 * pieces repeated many times. Each text follows from its number alone, so that one that made trouble can be drawn again.
 */
import { type Random, seededRandom } from '../../../src/base/index.ts';
import { functionSignatures } from '../../../src/promql/index.ts';
import { randomQuery } from '../../peers/random_query.ts';

/** UTF-16 units of a drawn text at most. */
export const lengthMax = 20_000;
const mutationsMost = 6;
const tokensMost = 60;
const charactersMost = 80;
const repeatsMost = 3000;
const queryDepthMost = 4;

const tokens: readonly string[] = [
  ...['(', ')', '{', '}', '[', ']', ',', ':', '"', "'", '`', '\\', '#', '\n', ' ', '\t', '@', '.', '_', ';'],
  ...['+', '-', '*', '/', '%', '^', '==', '!=', '>', '<', '>=', '<=', '=~', '!~', '=', '!', '</', '>/'],
  ...['and', 'or', 'unless', 'atan2', 'bool', 'on', 'ignoring', 'group_left', 'group_right', 'by', 'without'],
  ...['offset', 'start()', 'end()', 'step()', 'range()', 'min_of(', 'max_of(', 'anchored', 'smoothed'],
  ...[
    'fill(1)',
    'fill_left(',
    'fill_right(-1)',
    'Inf',
    'NaN',
    '0x1F',
    '1e',
    '1e308',
    '1e999',
    '1_000',
    '1.',
    '.5',
  ],
  ...['5m', '1h30m', '1m1h', '0s', '99999999y', '-5m', '5', '3.7', '007', '0b1', '1i'],
  ...['sum', 'avg', 'topk', 'quantile', 'count_values', 'limitk', 'limit_ratio', 'group'],
  ...['up', 'a:b', 'job', '__name__', 'le', 'x{a="b"}', '{__name__=~"a.*"}', '{"näme"}', '"quoted name"'],
  ...[
    '"text"',
    "'it''s'",
    '`raw`',
    '"\\u00e4\\x41\\101\\n"',
    '"\\q"',
    '"\\ud800"',
    '""',
    '"(((("',
    '"(a+)+$"',
  ],
  ...[
    'x[5m]',
    'x[5m:1m]',
    'x[5m:]',
    '[1h:5m]',
    'x[-5m]',
    'x[min_of(1m, 5m)]',
    'rate(x[5m])',
    '@ 1.5',
    '@ -1e20',
  ],
  ...['ä', '\u{1f642}', '\ud800', '\u0000', '\u00a0', '\ufeff', '\u2028', 'İ', 'ſ'],
  ...Object.keys(functionSignatures),
];

/** Pieces that nest, chain or never end when they are repeated. */
const pieces: readonly string[] = [
  ...[
    '(',
    '((',
    ')',
    '[',
    '{',
    '-',
    '+',
    '!',
    '"',
    "'",
    '`',
    '\\',
    '#',
    '#\n',
    '\n',
    ' ',
    ',',
    '.',
    '0',
    '_',
    ':',
  ],
  ...[
    '1+',
    '1^',
    '2^-',
    'a and ',
    'a or ',
    'a unless on(b) ',
    'a == bool ',
    'a / on(x) group_left(y) ',
    '-(',
    '+-',
  ],
  ...[
    'sum(',
    'sum by (a) (',
    'rate(',
    'abs(',
    'min_of(',
    'max_of (',
    'x[min_of(',
    'x[step()+',
    '[1m:',
    'offset 1m ',
  ],
  ...[
    '@ 1 ',
    'a{b="c",',
    'b="c",',
    '{a="',
    'a"b',
    'by(',
    'x[5m]',
    'x[1h:1m]',
    'fill(1) ',
    'anchored ',
    '1m',
    '1h1',
    '1e',
  ],
  ...[
    'bool ',
    'on(',
    'ignoring(a) ',
    'group_left ',
    '0x',
    '1_',
    '\\u0041',
    'a:',
    'Inf',
    'NaN ',
    'vector(',
    'label_replace(',
  ],
  ...['ä', '\u{1f642}', '\ud800', '\u0000', '(a+)+', '{a=~"(a+)+$"} or ', '"a" + ', '1 # x\n+ '],
];

export function drawText(seed: number, index: number): string {
  const random = seededRandom(seed * 1_000_003 + index);
  const kind = random.below(10);
  const text =
    kind < 2
      ? validQuery(random)
      : kind < 6
        ? mutated(validQuery(random), random)
        : kind < 8
          ? inRow(random, tokensMost, () => pick(random, tokens) + pick(random, ['', '', ' ']))
          : kind < 9
            ? inRow(random, charactersMost, () => String.fromCharCode(character(random)))
            : repeated(random);
  return text.slice(0, lengthMax);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

function validQuery(random: Random): string {
  return randomQuery(random, random.below(queryDepthMost));
}

function inRow(random: Random, most: number, draw: () => string): string {
  let text = '';
  for (let left = random.below(most) + 1; left > 0; left--) text += draw();
  return text;
}

/** Mostly ASCII, now and then anything, halves of pairs included. */
function character(random: Random): number {
  return random.below(20) === 0 ? random.below(0x10000) : random.below(128);
}

function repeated(random: Random): string {
  const piece = pick(random, pieces);
  const count = 1 + random.below(repeatsMost);
  const before = random.below(2) === 0 ? '' : mutated(validQuery(random), random);
  const after = random.below(2) === 0 ? '' : pick(random, tokens);
  const closing = random.below(3) === 0 ? pick(random, [')', ']', '}', '"', ' 1', 'x']).repeat(count) : '';
  return before + piece.repeat(count) + after + closing;
}

function mutated(query: string, random: Random): string {
  let text = query;
  for (let left = random.below(mutationsMost) + 1; left > 0; left--) text = mutatedOnce(text, random);
  return text;
}

function mutatedOnce(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const to = Math.min(text.length, at + 1 + random.below(8));
  const [head, cut, tail] = [text.slice(0, at), text.slice(at, to), text.slice(to)];
  switch (random.below(7)) {
    case 0:
      return head + tail;
    case 1:
      return head + pick(random, tokens) + text.slice(at);
    case 2:
      return head + pick(random, tokens) + tail;
    case 3:
      return head + cut.repeat(2 + random.below(5)) + tail;
    case 4:
      return head + String.fromCharCode(character(random)) + tail;
    case 5:
      return head;
    default: {
      const other = validQuery(random);
      return head + other.slice(random.below(other.length)) + tail;
    }
  }
}
