// What the configuration part of this room offers; one line of the room's index takes it all.
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
export type { RelabelAction, RelabelConfig } from './relabel_types.ts';
