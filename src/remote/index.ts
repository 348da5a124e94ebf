export * from './config.ts';
export {
  type DecodedRemoteWrite,
  decodeRemoteWrite,
  RemoteWriteDecoder,
  type RemoteWriteOptions,
} from './decode_write.ts';
export { encodeRemoteWrite, encodeWriteRequest } from './encode_write.ts';
export { RemoteRequestError, remoteErrorCodes } from './errors.ts';
export { snappyCompress, snappyUncompress } from './snappy.ts';
