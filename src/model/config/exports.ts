// What the configuration part of this room offers; one line of the room's index takes it all.

export type { FieldSpec, Fields, InlineDecoder, InlineSpec, ObjectDecoder, Report } from './collections.ts';
export * as decode from './decode.ts';
export {
  type Compatibility,
  type Decoded,
  type DecodeOptions,
  type Decoder,
  decodeYaml,
  type Scope,
} from './decoder.ts';
export { findPlace, type MapNode, type ScalarNode, type YamlNode } from './document.ts';
export { ConfigError, type ConfigProblem, formatProblem } from './errors.ts';
export { type GoUrl, parseGoUrl } from './go_url.ts';
export { hasAuthentication, httpClient, httpHeaders, sigv4, tlsConfig } from './http_client.ts';
export type {
  AuthorizationConfig,
  BasicAuthConfig,
  HttpClientConfig,
  HttpHeaderConfig,
  OAuth2Config,
  ProxyConfig,
  SigV4Config,
  TlsConfig,
  TlsVersion,
} from './http_client_types.ts';
export { parseByteSize, parseGoDuration } from './quantities.ts';
export { legacyNameProblem, relabelConfigs } from './relabel.ts';
export type { RelabelAction, RelabelConfig } from './relabel_types.ts';
export { joinDirectory } from './scalars.ts';
