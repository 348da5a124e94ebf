/** Why a remote request as a whole could not be read. Faults of single series are reported in the result instead. */
import { CodedError } from '../base/index.ts';

export class RemoteRequestError extends CodedError {
  override readonly name = 'RemoteRequestError';
}

export const remoteErrorCodes = {
  /** The body is not a snappy block. */
  snappy: 'snappy_corrupt',
  /** The body is not gzip. */
  gzip: 'gzip_corrupt',
  /** The body is a snappy block of something that is not the protobuf message expected. */
  message: 'message_malformed',
  /** Larger than this server takes. */
  tooLarge: 'request_too_large',
  /** A remote read client takes none of the answers that there are. */
  responseType: 'response_type',
  /** The answer of a remote read query has more samples than it may have. */
  sampleLimit: 'sample_limit',
} as const;
