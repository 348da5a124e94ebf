import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteSink } from './byte_sink.ts';
import { PageFormatError } from './page_format_error.ts';
import { decodeValues, encodeValues } from './values.ts';

function roundTrip(bits: BigUint64Array<ArrayBuffer>): void {
  const values = new Float64Array(bits.buffer);
  const sink = new ByteSink(1);
  sink.u8(7);
  encodeValues(values, 0, values.length, sink);
  const bytes = sink.finish();
  const out = new Float64Array(values.length + 2);
  assert.equal(decodeValues(bytes, 1, values.length, out, 1), bytes.length);
  assert.deepEqual(new BigUint64Array(out.buffer, 8, values.length), bits);
}

test('any bits come back', () => {
  fc.assert(fc.property(fc.bigUint64Array({ maxLength: 60 }), (bits) => roundTrip(new BigUint64Array(bits))));
});

test('bytes that end early are refused', () => {
  assert.throws(() => decodeValues(new Uint8Array(7), 0, 1, new Float64Array(1), 0), PageFormatError);
});
