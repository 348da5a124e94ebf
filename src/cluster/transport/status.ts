/** gRPC status codes to and from the room's coded errors. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CodedError, errorText } from '../../base/index.ts';
import { TransportError, transportErrorCodes } from '../errors.ts';

const codeHeader = 'torchring-error-code';
/** Longer texts would not fit into an HTTP/2 header block of common limits. */
const detailsLengthMax = 2_000;

const detailsOf = (error: unknown): string => errorText(error).slice(0, detailsLengthMax);

/** What a failing handler sends to the caller: the coded error's code travels along. */
export function toServiceError(error: unknown): Partial<ServiceError> {
  const metadata = new Metadata();
  if (error instanceof CodedError) metadata.set(codeHeader, error.code);
  return { code: status.FAILED_PRECONDITION, details: detailsOf(error), metadata };
}

/** The status of a refused call. */
export function refusedStatus(reason: string): Partial<ServiceError> {
  return { code: status.UNAUTHENTICATED, details: reason };
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

/** The error that a caller of the transport sees. */
export function fromServiceError(error: unknown, address: string): TransportError {
  if (!isServiceError(error)) {
    return new TransportError(transportErrorCodes.failed, `call to ${address}: ${errorText(error)}`, {
      cause: error,
    });
  }
  const text = `call to ${address}: ${error.details || error.message}`;
  const options = { cause: error };
  switch (error.code) {
    case status.UNAVAILABLE:
      return new TransportError(transportErrorCodes.unavailable, text, options);
    case status.DEADLINE_EXCEEDED:
      return new TransportError(transportErrorCodes.deadline, text, options);
    case status.CANCELLED:
      return new TransportError(transportErrorCodes.cancelled, text, options);
    case status.UNAUTHENTICATED:
      return new TransportError(transportErrorCodes.refused, text, options);
    case status.UNIMPLEMENTED:
      return new TransportError(transportErrorCodes.notServed, text, options);
    default: {
      const peerCode = error.metadata?.get(codeHeader)[0];
      const code = peerCode === undefined ? transportErrorCodes.failed : String(peerCode);
      return new TransportError(code, text, options);
    }
  }
}
