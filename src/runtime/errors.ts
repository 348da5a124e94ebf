/**
 * The coded errors of the actor runtime. An `ask` that doesn't end with a reply ends with one of these, so that
 * an API can tell "too slow" from "overloaded" from "gone" without comparing texts.
 */
import { CodedError, errorText } from '../base/index.ts';

export const runtimeErrorCodes = {
  deadline: 'ask_deadline',
  stopped: 'actor_stopped',
  full: 'mailbox_full',
  failed: 'actor_failed',
  notFound: 'actor_not_found',
  nameTaken: 'actor_name_taken',
  linkLost: 'actor_link_lost',
  notSent: 'actor_message_not_sent',
  unplaced: 'actor_unplaced',
  remote: 'actor_remote_failure',
  envelope: 'actor_envelope',
} as const;

/** No reply came before the asker's deadline. */
export function deadlineError(path: string, deadlineMs: number): CodedError {
  return new CodedError(runtimeErrorCodes.deadline, `no reply from ${path} within ${deadlineMs} ms`);
}

/** The target stopped, or had stopped, before it replied. */
export function stoppedError(path: string): CodedError {
  return new CodedError(runtimeErrorCodes.stopped, `actor ${path} has stopped`);
}

/** The target's mailbox had no room. */
export function fullError(path: string): CodedError {
  return new CodedError(runtimeErrorCodes.full, `mailbox of actor ${path} is full`);
}

/** The target threw while it handled the message, or before it replied; the cause is what it threw. */
export function failedError(path: string, cause: unknown): CodedError {
  return new CodedError(runtimeErrorCodes.failed, `actor ${path} failed: ${errorText(cause)}`, { cause });
}

/** No actor lives at the path. */
export function notFoundError(path: string): CodedError {
  return new CodedError(runtimeErrorCodes.notFound, `no actor at ${path}`);
}

/** A sibling of that name is alive. */
export function nameTakenError(path: string): CodedError {
  return new CodedError(runtimeErrorCodes.nameTaken, `an actor named ${path} exists already`);
}

/** The thread or node at the other end went away. */
export function linkLostError(peer: string, cause?: unknown): CodedError {
  return new CodedError(runtimeErrorCodes.linkLost, `connection to ${peer} is lost`, { cause });
}

/** The message could not be encoded or cloned for its way to another thread or node. */
export function notSentError(path: string, cause: unknown): CodedError {
  const message = `message to ${path} could not be sent: ${errorText(cause)}`;
  return new CodedError(runtimeErrorCodes.notSent, message, { cause });
}

/** The placement function names no node for the key at present. */
export function unplacedError(path: string): CodedError {
  return new CodedError(runtimeErrorCodes.unplaced, `no node holds ${path} at present`);
}

/** An envelope from another node that can't be read. */
export function envelopeError(message: string, cause?: unknown): CodedError {
  return new CodedError(runtimeErrorCodes.envelope, message, { cause });
}

/** Rebuilds an error that crossed a thread or node boundary as (code, message). */
export function remoteError(code: string | undefined, message: string): CodedError {
  return new CodedError(code ?? runtimeErrorCodes.remote, message);
}
