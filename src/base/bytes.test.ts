import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AssertionError } from './assert.ts';
import { ByteReader, ByteWriter } from './bytes.ts';

test('what is written is read, however small the writer began', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 }).map((value) => value.toWellFormed());
  const rows = fc.array(fc.tuple(text, fc.maxSafeNat(), fc.nat({ max: 255 }), fc.double()), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 40 }), (all, initialBytes) => {
      const writer = new ByteWriter(initialBytes);
      for (const [name, size, byte, value] of all) {
        writer.text(name);
        writer.varint(size);
        writer.u8(byte);
        writer.u32(byte * 0x01010101);
        writer.u64(BigInt(size));
        writer.f64(value);
        writer.column(Float64Array.of(value, value));
      }
      // A Buffer's slices share memory; the reader must not care.
      const reader = new ByteReader(Buffer.from(writer.finish()));
      for (const [name, size, byte, value] of all) {
        assert.equal(reader.text(), name);
        assert.equal(reader.varint(), size);
        assert.equal(reader.u8(), byte);
        assert.equal(reader.u32(), byte * 0x01010101);
        assert.equal(reader.u64(), BigInt(size));
        assert.equal(reader.f64(), value);
        assert.deepEqual(reader.floats(2), Float64Array.of(value, value));
      }
      assert.equal(reader.remaining, 0);
    }),
  );
});

test('a text that starts with a byte order mark keeps it', () => {
  const writer = new ByteWriter(1);
  writer.text('\ufeffx');
  assert.equal(new ByteReader(writer.finish()).text(), '\ufeffx');
});

test('what has no varint is a broken invariant, not other bytes', () => {
  for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
    assert.throws(() => new ByteWriter().varint(bad), AssertionError, String(bad));
});
