/** Fails loudly when an invariant of our own code is broken. Never for user input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}
