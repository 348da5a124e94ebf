export * from './config.ts';
export {
  decodeRemoteWrite,
  RemoteWriteDecoder,
  type RemoteWriteOptions,
} from './decode_write.ts';
export { RemoteWrite2Decoder, type RemoteWrite2Options } from './decode_write2.ts';
export { encodeRemoteWrite, encodeWriteRequest } from './encode_write.ts';
export { RemoteRequestError, remoteErrorCodes } from './errors.ts';
export { federateFamilies } from './federate/families.ts';
export { type FederateFormat, federateContentType, negotiateFederateFormat } from './federate/format.ts';
export { federateProtobuf } from './federate/protobuf.ts';
export { federateText } from './federate/text.ts';
export { loadOtlp } from './load_otlp.ts';
export { createRemoteWriteMetrics, type RemoteWriteMetrics } from './metrics.ts';
export type { OtlpBody } from './otlp/decode.ts';
export type { OtlpRules, TranslatedOtlp } from './otlp/translate.ts';
export { type FrameOptions, frames } from './read/chunks.ts';
export {
  decodeReadRequest,
  type ReadQuery,
  type ReadRequest,
  type ReadResponseType,
} from './read/request.ts';
export { SampledAnswer } from './read/samples.ts';
export { snappyUncompress } from './snappy.ts';
export { snappyCompress } from './snappy_compress.ts';
export type { DecodedRemoteWrite } from './write_assembly.ts';
