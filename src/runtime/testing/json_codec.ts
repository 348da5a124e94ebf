/** Payloads as JSON, for tests of what travels between nodes; production kinds define theirs in proto/. */
import type { ReplyTo } from '../actor_ref.ts';
import type { PayloadCodec } from '../remote/node_link.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** `replyKey`: the property that holds the reply handle in messages that ask. */
export function jsonCodec<M>(replyKey = 'replyTo'): PayloadCodec<M> {
  const read = (payload: Uint8Array): unknown => JSON.parse(decoder.decode(payload));
  return {
    encode: (message) =>
      encoder.encode(JSON.stringify(message, (key, value) => (key === replyKey ? undefined : value))),
    decode: (payload, replyTo: ReplyTo<unknown> | undefined) => {
      const message = read(payload) as Record<string, unknown>;
      if (replyTo !== undefined) message[replyKey] = replyTo;
      return message as M;
    },
    encodeReply: (reply) => encoder.encode(JSON.stringify(reply)),
    decodeReply: read,
  };
}
