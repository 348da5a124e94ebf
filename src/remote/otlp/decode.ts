/** An OTLP metrics request as it came over HTTP: compressed or not, protobuf or JSON. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorText } from '../../base/index.ts';
import { RemoteRequestError, remoteErrorCodes } from '../errors.ts';
import type { OtlpResource } from './model.ts';
import { readOtlpJson } from './read_json.ts';
import { readOtlpProtobuf } from './read_protobuf.ts';

/** Bytes of a request, uncompressed. */
const requestBytesMax = 64 * 1024 * 1024;

const gunzipped = promisify(gunzip);

export interface OtlpBody {
  readonly bytes: Uint8Array;
  readonly isGzip: boolean;
  readonly isJson: boolean;
}

/** Rejects with RemoteRequestError: `gzip_corrupt`, `message_malformed`, `request_too_large`. */
export async function decodeOtlp({ bytes, isGzip, isJson }: OtlpBody): Promise<OtlpResource[]> {
  const plain = isGzip ? await uncompressed(bytes) : bytes;
  return isJson ? readOtlpJson(plain) : readOtlpProtobuf(plain);
}

async function uncompressed(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await gunzipped(bytes, { maxOutputLength: requestBytesMax });
  } catch (error) {
    if (error instanceof RangeError) {
      const message = `the body uncompresses to more than ${requestBytesMax} bytes`;
      throw new RemoteRequestError(remoteErrorCodes.tooLarge, message, { cause: error });
    }
    const message = `the body is not valid gzip: ${errorText(error)}`;
    throw new RemoteRequestError(remoteErrorCodes.gzip, message, { cause: error });
  }
}
