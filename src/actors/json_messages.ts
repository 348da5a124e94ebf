/** Payloads of control messages between nodes as JSON: rare, small, and readable in a capture. */
import type { PayloadCodec, ReplyTo } from '../runtime/index.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

const toBytes = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value) ?? 'null');
const fromBytes = (bytes: Uint8Array): unknown => JSON.parse(decoder.decode(bytes));

/** For messages that are plain data but for their `replyTo`. `types`: those that another node may send. */
export function jsonMessages<M extends { readonly type: string }>(
  types: readonly M['type'][],
): PayloadCodec<M> {
  return {
    encode: (message) => toBytes({ ...message, replyTo: undefined }),
    decode: (payload: Uint8Array, replyTo: ReplyTo<unknown> | undefined): M => {
      const message = fromBytes(payload) as M;
      if (!types.includes(message.type))
        throw new RangeError(`a node may not send a ${message.type} message`);
      return { ...message, ...(replyTo === undefined ? {} : { replyTo }) };
    },
    encodeReply: toBytes,
    decodeReply: fromBytes,
  };
}
