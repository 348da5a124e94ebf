import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashMod, hashModulusMax, hashToBigInt, xxHash64, xxHash64Bytes, xxHash64Words } from './xxhash64.ts';

const prime1 = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;
const prime3 = 0x165667b19e3779f9n;
const prime4 = 0x85ebca77c2b2ae63n;
const prime5 = 0x27d4eb2f165667c5n;
const cut = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, bits: bigint): bigint => cut((value << bits) | (value >> (64n - bits)));
const round = (lane: bigint, input: bigint): bigint => cut(rotate(cut(lane + input * prime2), 31n) * prime1);

/** The specification word for word, in arbitrary precision: slow, and easy to compare with the text. */
function bySpecification(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash = prime5;
  if (bytes.length >= 32) {
    const lanes = [cut(prime1 + prime2), prime2, 0n, cut(-prime1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [i, lane] of lanes.entries()) lanes[i] = round(lane, view.getBigUint64(at + i * 8, true));
    }
    hash = cut(lanes.reduce((sum, lane, i) => sum + rotate(lane, [1n, 7n, 12n, 18n][i] ?? 0n), 0n));
    for (const lane of lanes) hash = cut((hash ^ round(0n, lane)) * prime1 + prime4);
  }
  hash = cut(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    hash = cut(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * prime1 + prime4);
  }
  if (at + 4 <= bytes.length) {
    hash = cut(rotate(hash ^ cut(BigInt(view.getUint32(at, true)) * prime1), 23n) * prime2 + prime3);
    at += 4;
  }
  for (; at < bytes.length; at++)
    hash = cut(rotate(hash ^ cut(BigInt(view.getUint8(at)) * prime5), 11n) * prime1);
  hash = cut((hash ^ (hash >> 33n)) * prime2);
  hash = cut((hash ^ (hash >> 29n)) * prime3);
  return hash ^ (hash >> 32n);
}

const utf8 = new TextEncoder();

test('published values come out', () => {
  const cases: [string, bigint][] = [
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['as', 0x1c330fb2d66be179n],
    ['asd', 0x631c37ce72a97393n],
    ['asdf', 0x415872f599cea71en],
    ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2e85470d6fd96n],
  ];
  for (const [text, hash] of cases) assert.equal(xxHash64Bytes(utf8.encode(text)), hash, text);
});

test('property: agrees with the specification in arbitrary precision', () => {
  const extreme = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 150 }),
    fc.array(extreme, { maxLength: 80 }).map((values) => Uint8Array.from(values)),
  );
  fc.assert(
    fc.property(bytes, (input) => assert.equal(xxHash64Bytes(input), bySpecification(input))),
    { numRuns: 1000 },
  );
});

test('property: strings hash as their UTF-8, each followed by 0xff', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 12 }), (strings) => {
      const bytes = strings.flatMap((text) => [...utf8.encode(text), 0xff]);
      assert.equal(xxHash64(strings), bySpecification(Uint8Array.from(bytes)));
    }),
  );
});

test('property: the modulus is that of the unsigned hash', () => {
  const modulus = fc.oneof(fc.integer({ min: 1, max: 4096 }), fc.integer({ min: 1, max: hashModulusMax }));
  fc.assert(
    fc.property(fc.string(), modulus, (text, by) => {
      const words = xxHash64Words([text]);
      assert.equal(hashMod(words, by), Number(hashToBigInt(words) % BigInt(by)));
    }),
  );
});

test('text larger than the scratch space hashes alike, and leaves it usable', () => {
  const huge = 'é'.repeat(100_000);
  assert.equal(xxHash64([huge]), bySpecification(Uint8Array.from([...utf8.encode(huge), 0xff])));
  assert.equal(
    xxHash64(['x'.repeat(9000)]),
    bySpecification(Uint8Array.from([...utf8.encode('x'.repeat(9000)), 0xff])),
  );
  assert.equal(xxHash64(['a', 'b']), bySpecification(Uint8Array.of(0x61, 0xff, 0x62, 0xff)));
});
