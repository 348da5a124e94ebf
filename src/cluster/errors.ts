/** Every coded error of the cluster room: what an operator or a caller in another room can meet. */
import { CodedError } from '../base/index.ts';

/** A call between nodes failed; `code` says how. */
export class TransportError extends CodedError {
  override readonly name = 'TransportError';
}

export const transportErrorCodes = {
  /** The peer could not be reached, or the connection broke: whether it acted is unknown. */
  unavailable: 'CLUSTER_PEER_UNAVAILABLE',
  deadline: 'CLUSTER_DEADLINE_EXCEEDED',
  cancelled: 'CLUSTER_CALL_CANCELLED',
  /** Cluster name or secret differ. */
  refused: 'CLUSTER_PEER_REFUSED',
  /** No member of that id is known. */
  unknownNode: 'CLUSTER_UNKNOWN_NODE',
  /** The peer has nothing registered for this kind of call yet. */
  notServed: 'CLUSTER_NOT_SERVED',
  /** The peer's handler failed; the message is the peer's. */
  failed: 'CLUSTER_CALL_FAILED',
  /** The listener's address can't be bound. */
  listen: 'CLUSTER_LISTEN_ADDRESS',
} as const;

/** The control group could not take a command, or did not answer for it in time. */
export class ProposalError extends CodedError {
  override readonly name = 'ProposalError';
}

export const proposalErrorCodes = {
  /** Surely not done: there was no leader until the deadline. */
  noLeader: 'CLUSTER_NO_LEADER',
  /** It may or may not be committed; repeat it only if it is idempotent. */
  uncertain: 'CLUSTER_PROPOSAL_UNCERTAIN',
  tooLarge: 'CLUSTER_COMMAND_TOO_LARGE',
  stopped: 'CLUSTER_STOPPED',
} as const;

/** What is on disk or on the wire can't be what this version wrote. */
export class ClusterFormatError extends CodedError {
  override readonly name = 'ClusterFormatError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('CLUSTER_BAD_FORMAT', message, options);
  }
}

/** A cluster option is out of range or malformed. */
export class ClusterOptionError extends CodedError {
  override readonly name = 'ClusterOptionError';
  constructor(message: string) {
    super('CLUSTER_BAD_OPTION', message);
  }
}
