import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../base/index.ts';
import { PageFormatError } from './page_format_error.ts';
import { decodeValues, encodeValues } from './values.ts';

const guard = 12345.678;

function encoded(values: Float64Array, from = 0, to: number = values.length): Uint8Array<ArrayBuffer> {
  const sink = new ByteWriter(1);
  encodeValues(values, from, to, sink);
  return sink.finish();
}

/** Encodes, decodes, and compares words; neighbours in `out` stay, and the bytes are used up. */
function roundTrip(values: Float64Array): Uint8Array<ArrayBuffer> {
  const count = values.length;
  const bytes = encoded(values);
  const framed = Buffer.concat([Uint8Array.of(7), bytes, Uint8Array.of(7)]);
  const out = new Float64Array(count + 2).fill(guard);
  assert.equal(decodeValues(framed, 1, count, out, 1), bytes.length + 1);
  assert.deepEqual(new Uint32Array(out.buffer, 8, 2 * count), new Uint32Array(values.slice().buffer));
  assert.equal(out[0], guard);
  assert.equal(out[count + 1], guard);
  return bytes;
}

function fromBits(...bits: readonly bigint[]): Float64Array {
  return new Float64Array(BigUint64Array.from(bits).buffer);
}

/** Stale marker, NaN of Go and of JavaScript, one with a payload, signed infinities, -0, the least double. */
const oddBits = [
  0x7ff0000000000002n,
  0x7ff8000000000001n,
  0x7ff8000000000000n,
  0xfff4dead0000beefn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x8000000000000000n,
  1n,
];

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
}

test('any bits come back', () => {
  fc.assert(fc.property(fc.bigUint64Array({ maxLength: 60 }), (bits) => void roundTrip(fromBits(...bits))));
});

test('decimals come back, with odd values among them', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer()), {
    minLength: 1,
    maxLength: 200,
  });
  const odd = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...oddBits)), { maxLength: 4 });
  const start = fc.integer({ min: -(2 ** 48), max: 2 ** 48 });
  fc.assert(
    fc.property(steps, odd, start, fc.integer({ min: -12, max: 18 }), (deltas, odds, first, decimals) => {
      let total = first;
      const bits = deltas.map((delta) => {
        total += delta;
        return bitsOf(Number(`${total}e${-decimals}`));
      });
      for (const [at, pattern] of odds) bits[at % bits.length] = pattern;
      roundTrip(fromBits(...bits));
    }),
    { numRuns: 300 },
  );
});

test('values of a set come back, however odd', () => {
  const set = fc.array(fc.oneof(fc.constantFrom(...oddBits), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(set, fc.array(fc.nat(), { minLength: 1, maxLength: 300 }), (all, picks) => {
      roundTrip(fromBits(...picks.map((pick) => all[pick % all.length] ?? 0n)));
    }),
  );
});

test('a part of a column is coded as if it were alone', () => {
  const values = Float64Array.from({ length: 50 }, (_, i) => (i * i) / 8);
  assert.deepEqual(encoded(values, 7, 31), encoded(values.slice(7, 31)));
  assert.equal(encoded(values, 5, 5).length, 0);
  assert.equal(decodeValues(new Uint8Array(0), 0, 0, new Float64Array(0), 0), 0);
});

test('each kind of column takes the bytes that its form promises', () => {
  const column = (next: (i: number) => number): Float64Array =>
    Float64Array.from({ length: 480 }, (_, i) => next(i));
  const bytesOf = (next: (i: number) => number): number => roundTrip(column(next)).length;
  const isSet = (i: number): boolean => i % 97 === 5;
  assert.ok(bytesOf(() => Math.PI) <= 9, 'constant');
  assert.ok(bytesOf((i) => 1e6 + 7 * i) <= 12, 'steady counter');
  assert.ok(bytesOf((i) => i * 5 + ((i * 37) % 4)) <= 135, 'steady within two bits');
  assert.ok(bytesOf((i) => i * 5 + ((i * 37) % 15)) <= 255, 'steady within half a byte');
  assert.ok(bytesOf((i) => (isSet(i) ? 1 : 0)) <= 60, 'mostly zero');
  assert.ok(bytesOf((i) => 21.5 + ((i * 37) % 200) / 100) <= 500, 'two decimals within a byte');
  assert.ok(bytesOf((i) => (1000 + ((i * 37) % 200)) * 4096) <= 500, 'whole pages within a byte');
  assert.ok(bytesOf((i) => Math.sqrt(2 + Math.floor(i / 60))) <= 120, 'set rarely');
  assert.ok(bytesOf((i) => (i < 240 ? 5e9 : 0) + ((i * 37) % 200)) <= 530, 'a reset costs an exception');
  assert.ok(bytesOf((i) => Math.sin(i)) <= 480 * 8 + 10, 'noise');
  const stale = column((i) => i * 3);
  new BigUint64Array(stale.buffer)[77] = 0x7ff0000000000002n;
  assert.ok(roundTrip(stale).length <= 60, 'a stale marker is kept aside');
});

test('bytes that end early are refused', () => {
  const columns = [
    Float64Array.of(1, 1, 1),
    Float64Array.from({ length: 90 }, (_, i) => i * 1.25 + (i % 13 === 0 ? 1e9 : 0)),
    Float64Array.from({ length: 40 }, (_, i) => Math.sin(i)),
    Float64Array.from({ length: 90 }, (_, i) => Math.sin(i % 5)),
    fromBits(...Array.from({ length: 60 }, (_, i) => (i === 9 ? 0x7ff0000000000002n : bitsOf(i % 7)))),
  ];
  for (const values of columns) {
    const bytes = encoded(values);
    const out = new Float64Array(values.length);
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => decodeValues(bytes.subarray(0, end), 0, values.length, out, 0), PageFormatError);
    }
  }
});

test('any other bytes are refused or give some numbers, and nothing outside is touched', () => {
  const any = fc.tuple(
    fc.integer({ min: 0, max: 4 }),
    fc.uint8Array({ minLength: 1, maxLength: 80 }),
    fc.integer({ min: 1, max: 40 }),
  );
  fc.assert(
    fc.property(any, ([kind, bytes, count]) => {
      bytes[0] = kind;
      const out = new Float64Array(count + 2).fill(guard);
      try {
        assert.ok(decodeValues(bytes, 0, count, out, 1) <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof PageFormatError, String(error));
      }
      assert.equal(out[0], guard);
      assert.equal(out[count + 1], guard);
    }),
    { numRuns: 2000 },
  );
});

test('one damaged byte in a good column is refused or gives some numbers, and nothing outside is touched', () => {
  const stale = Float64Array.from({ length: 40 }, (_, i) => (i % 7) * 100);
  new BigUint64Array(stale.buffer)[39] = 0x7ff0000000000002n;
  const columns = [
    stale,
    Float64Array.from({ length: 40 }, (_, i) => (i === 39 ? 1e9 : i % 3)),
    Float64Array.from({ length: 40 }, (_, i) => Math.sin(i % 5)),
    Float64Array.of(1, 2, 4, 7),
    Float64Array.of(0.5, 99),
  ];
  let refused = 0;
  for (const values of columns) {
    const bytes = encoded(values);
    const count = values.length;
    for (let at = 0; at < bytes.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const damaged = bytes.slice();
        damaged[at] = byte;
        const out = new Float64Array(count + 2).fill(guard);
        try {
          assert.ok(decodeValues(damaged, 0, count, out, 1) <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof PageFormatError, String(error));
          refused++;
        }
        assert.deepEqual([out[0], out[count + 1]], [guard, guard]);
      }
    }
  }
  assert.ok(refused > 1000, String(refused));
});

test('places behind the end of a column are refused', () => {
  const [kindScaled, kindDictionary] = [1, 3];
  const refuses = (count: number, ...bytes: readonly number[]): void =>
    assert.throws(
      () => decodeValues(Uint8Array.from(bytes), 0, count, new Float64Array(9), 0),
      PageFormatError,
    );
  const accepts = (count: number, ...bytes: readonly number[]): void =>
    assert.equal(decodeValues(Uint8Array.from(bytes), 0, count, new Float64Array(9), 0), bytes.length);
  const double = [0, 0, 0, 0, 0, 0, 240, 63];
  // Integers: head, slope, base; an exception is a gap and a value.
  accepts(2, kindScaled, 0, 0b1000000, 0, 0, 1, 1, 4);
  refuses(2, kindScaled, 0, 0b1000000, 0, 0, 1, 2, 4);
  refuses(2, kindScaled, 0, 0b1000000, 0, 0, 3, 0, 4, 0, 4, 0, 4);
  accepts(2, kindScaled, 0x80, 0, 0, 0, 1, 1, ...double);
  refuses(2, kindScaled, 0x80, 0, 0, 0, 1, 2, ...double);
  accepts(2, kindScaled, 0, 0b010000, 0, 0);
  refuses(1, kindScaled, 0, 0b010000, 0, 0);
  refuses(2, kindScaled, 0, 0b100000, 0, 0, 0);
  accepts(2, kindDictionary, 0, ...double, 0, 0, 0);
  refuses(2, kindDictionary, 0, ...double, 0, 0, 2);
  refuses(2, kindDictionary, 0, ...double, 0, 0, 1);
  refuses(2, kindScaled, 0, 0b1010, 0, 0, ...new Uint8Array(40));
});
