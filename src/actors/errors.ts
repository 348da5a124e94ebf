import { CodedError } from '../base/index.ts';

export const actorErrorCodes = {
  /** The receiver does not own the shard by its table; the sender waits for a newer table and tries again. */
  notOwner: 'not_owner',
  /** No node owns the shard that could be reached before the deadline: the client should try again. */
  unavailable: 'shard_unavailable',
  /** More queries run or wait than the limit allows. */
  tooManyQueries: 'too_many_queries',
  /** A message names a shard that this cluster does not have. */
  unknownShard: 'unknown_shard',
} as const;

export function notOwnerError(shard: number, nodeId: string): CodedError {
  return new CodedError(actorErrorCodes.notOwner, `node ${nodeId} does not own shard ${shard}`);
}
