/**
 * Stands in a message for its reply handle while the message is on its way to another thread or node. It has no own
 * properties, so a structured clone of the message carries an empty object there, which the receiving end replaces by a
 * real handle.
 */
import type { ReplyTo } from '../actor_ref.ts';

export class ReplyMark implements ReplyTo<never> {
  ok(): void {
    throw new Error('the reply handle of a message for another thread or node belongs to its receiver');
  }

  fail(): void {
    this.ok();
  }
}

/** The name of the top-level property that holds `mark`. Throws when there is none. */
export function replyKeyOf(message: unknown, mark: ReplyMark): string {
  if (typeof message === 'object' && message !== null) {
    const record = message as Record<string, unknown>;
    for (const key of Object.keys(record)) if (record[key] === mark) return key;
  }
  throw new Error('the reply handle must be a top-level property of the message');
}
