/** Failures of a request in the words of Go's net packages, which is how Prometheus' users know and search for them. */
import { errorText } from '../base/index.ts';

interface SocketPlace {
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

interface Failure extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly socket?: SocketPlace;
}

const connectReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  EADDRNOTAVAIL: 'cannot assign requested address',
};

const untrusted = 'x509: certificate signed by unknown authority';
const tlsReasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
};

const joined = (host: string, port: number | undefined): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port ?? 0}`;

/** What went wrong with a request, from whatever the platform threw. */
export function requestErrorText(cause: unknown): string {
  // When every address of a host failed, the platform's error has no text of its own.
  if (cause instanceof AggregateError && cause.errors.length > 0) return requestErrorText(cause.errors[0]);
  if (!(cause instanceof Error)) return errorText(cause);
  const { address = '', port, hostname, socket } = cause as Failure;
  const code = String((cause as Failure).code ?? '');
  if (cause.name === 'AbortError') return 'context canceled';
  const reason = connectReasons[code];
  if (reason !== undefined) return `dial tcp ${joined(address, port)}: connect: ${reason}`;
  const tls = tlsReasons[code];
  if (tls !== undefined) return `tls: failed to verify certificate: ${tls}`;
  switch (code) {
    case 'ENOTFOUND':
      return `dial tcp: lookup ${hostname ?? address}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${hostname ?? address}: server misbehaving`;
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'dial tcp: i/o timeout';
    case 'ECONNRESET':
      return `read tcp${socketText(socket)}: read: connection reset by peer`;
    case 'UND_ERR_SOCKET':
      return 'EOF';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: ${cause.message}`;
  }
  if (code.startsWith('HPE_')) {
    return `net/http: HTTP/1.x transport connection broken: malformed HTTP response (${cause.message})`;
  }
  return cause.message;
}

function socketText(socket: SocketPlace | undefined): string {
  if (socket?.localAddress === undefined || socket.remoteAddress === undefined) return '';
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return ` ${joined(localAddress, localPort)}->${joined(remoteAddress, remotePort)}`;
}
