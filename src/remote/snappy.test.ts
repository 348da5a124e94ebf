import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../base/index.ts';
import { RemoteRequestError } from './errors.ts';
import { snappyUncompress } from './snappy.ts';
import { snappyCompress } from './snappy_compress.ts';

// Another implementation, which has no types of its own.
const require = createRequire(import.meta.url);
const { uncompress } = require('snappyjs') as {
  uncompress(bytes: Uint8Array): Uint8Array;
};

const sizeMax = 1 << 20;

test('what was compressed comes back', () => {
  // Few distinct bytes, so that copies of all kinds occur.
  const bytes = fc
    .tuple(fc.uint8Array({ max: 3, minLength: 0, maxLength: 3000 }), fc.nat({ max: 40 }))
    .map(([unit, times]) => new Uint8Array(Array.from({ length: times + 1 }, () => [...unit]).flat()));
  fc.assert(
    fc.property(bytes, (input) => {
      const compressed = snappyCompress(input);
      assert.deepEqual(snappyUncompress(compressed, sizeMax), input);
      assert.deepEqual(uncompress(compressed), input);
    }),
  );
  const large = new Uint8Array(300_000).map((_, i) => (i * i) >> 7);
  assert.deepEqual(snappyUncompress(snappyCompress(large), sizeMax), large);
  // What can't be compressed grows by little, what repeats itself shrinks.
  const random = seededRandom(1);
  const noise = new Uint8Array(200_000).map(() => random.below(256));
  assert.deepEqual(uncompress(snappyCompress(noise)), noise);
  assert.ok(snappyCompress(noise).length < noise.length * 1.01);
  assert.ok(snappyCompress(new Uint8Array(200_000)).length < 12_000);
});

test('every kind of element is read as the format says', () => {
  const text = (...bytes: number[]): string =>
    Buffer.from(snappyUncompress(Uint8Array.of(...bytes), 1000)).toString();
  const abc = [0x61, 0x62, 0x63];
  assert.equal(text(0), '');
  assert.equal(text(3, 2 << 2, ...abc), 'abc');
  // Literal lengths in one, two, three and four bytes behind the tag.
  assert.equal(text(3, 60 << 2, 2, ...abc), 'abc');
  assert.equal(text(3, 61 << 2, 2, 0, ...abc), 'abc');
  assert.equal(text(3, 62 << 2, 2, 0, 0, ...abc), 'abc');
  assert.equal(text(3, 63 << 2, 2, 0, 0, 0, ...abc), 'abc');
  // Copies with offsets of one, two and four bytes, overlapping themselves.
  assert.equal(text(8, 2 << 2, ...abc, (1 << 2) | 1, 3), 'abcabcab');
  assert.equal(text(8, 2 << 2, ...abc, (4 << 2) | 2, 1, 0), 'abcccccc');
  assert.equal(text(8, 2 << 2, ...abc, (4 << 2) | 3, 2, 0, 0, 0), 'abcbcbcb');
});

test('a size beyond the limit is refused before anything is uncompressed', () => {
  const announced = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0);
  assert.throws(() => snappyUncompress(announced, sizeMax), {
    code: 'request_too_large',
    message: 'the body uncompresses to 4294967295 bytes, the limit is 1048576',
  });
  // Within the limit, but more than so few bytes can hold.
  assert.throws(() => snappyUncompress(announced, 2 ** 40), { code: 'snappy_corrupt' });
});

test('elements that leave the input or the output are refused by name', () => {
  const abc = [0x61, 0x62, 0x63];
  const cases: [number[], RegExp][] = [
    [[], /ends within its length/],
    [[0x80, 0x80], /ends within its length/],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x01], /exceeds 32 bits/],
    [[0xff, 0xff, 0xff, 0xff, 0x1f], /exceeds 32 bits/],
    [[3, 2 << 2, 0x61, 0x62], /a literal runs over the end/],
    [[2, 2 << 2, ...abc], /a literal runs over the end/],
    [[3, 61 << 2, 2], /ends within an element/],
    [[3, 63 << 2, 0xff, 0xff, 0xff, 0xff, ...abc], /a literal runs over the end/],
    [[8, 2 << 2, ...abc, (1 << 2) | 1, 0], /reaches 0 bytes back/],
    [[8, 2 << 2, ...abc, (1 << 2) | 1, 4], /reaches 4 bytes back at 3/],
    [[7, 2 << 2, ...abc, (1 << 2) | 1, 3], /a copy runs over the end/],
    [[8, 2 << 2, ...abc, (4 << 2) | 2, 1], /ends within an element/],
    [[9, 2 << 2, ...abc, (1 << 2) | 1, 3], /8 bytes came out, 9 were announced/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => snappyUncompress(Uint8Array.from(bytes), sizeMax), {
      code: 'snappy_corrupt',
      message,
    });
  }
});

test('arbitrary and damaged bytes give a coded error or bytes of the size announced', () => {
  const damaged = fc
    .tuple(fc.uint8Array({ max: 7, maxLength: 300 }), fc.nat(), fc.nat({ max: 255 }), fc.nat())
    .map(([input, at, byte, end]) => {
      const block = snappyCompress(input);
      block[at % block.length] = byte;
      return block.slice(0, 1 + (end % block.length));
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (input) => {
      try {
        snappyUncompress(input, 100_000);
      } catch (error) {
        assert.ok(error instanceof RemoteRequestError);
      }
    }),
    { numRuns: 2000 },
  );
});
