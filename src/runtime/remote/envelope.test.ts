import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CodedError } from '../../base/index.ts';
import { runtimeErrorCodes } from '../errors.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.ts';

const text = fc.string({ unit: 'grapheme' });
const id = fc.maxSafeNat();
const payload = fc.uint8Array();
const envelopes: fc.Arbitrary<Envelope> = fc.oneof(
  fc.record({
    type: fc.constantFrom('tell' as const, 'ask' as const, 'offer' as const, 'release' as const),
    id,
    origin: text,
    kind: text,
    target: text,
    virtual: fc.boolean(),
    hops: fc.nat(100),
    deadlineMs: fc.integer({ min: 1, max: 86_400_000 }),
    version: id,
    payload,
  }),
  fc.record({ type: fc.constant('ok' as const), id, kind: text, payload }),
  fc.record({
    type: fc.constant('offered' as const),
    id,
    outcome: fc.constantFrom('queued' as const, 'stopped' as const),
  }),
  fc.record({ type: fc.constant('fail' as const), id, code: text, message: text }),
);

test('an envelope survives its way through bytes', () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      const decoded = decodeEnvelope(encodeEnvelope(envelope));
      const plain =
        'payload' in decoded ? { ...decoded, payload: Uint8Array.from(decoded.payload) } : decoded;
      assert.deepEqual(plain, { ...envelope });
    }),
  );
});

test('hostile bytes are refused with one coded error, never another', () => {
  const refused = (bytes: Uint8Array): void => {
    try {
      decodeEnvelope(bytes);
    } catch (error) {
      assert.ok(error instanceof CodedError && error.code === runtimeErrorCodes.envelope, String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), refused));
  fc.assert(
    fc.property(envelopes, fc.nat(), fc.nat(255), (envelope, at, byte) => {
      const bytes = encodeEnvelope(envelope);
      bytes[at % bytes.length] = byte;
      refused(bytes);
      refused(bytes.subarray(0, at % bytes.length));
    }),
  );
});
