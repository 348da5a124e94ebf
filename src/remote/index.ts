export * from './config.ts';
export {
  decodeRemoteWrite,
  RemoteWriteDecoder,
  type RemoteWriteOptions,
} from './decode_write.ts';
export { RemoteWrite2Decoder, type RemoteWrite2Options } from './decode_write2.ts';
export { encodeRemoteWrite, encodeWriteRequest } from './encode_write.ts';
export { RemoteRequestError, remoteErrorCodes } from './errors.ts';
export { createRemoteWriteMetrics, type RemoteWriteMetrics } from './metrics.ts';
export { snappyCompress, snappyUncompress } from './snappy.ts';
export type { DecodedRemoteWrite } from './write_assembly.ts';
