/** Mutual TLS between nodes: both sides show a certificate of the cluster's own authority. */
import { readFile } from 'node:fs/promises';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

export interface ClusterTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The name that peers' certificates carry when it isn't the host that is dialled. */
  readonly serverName?: string;
}

export interface TransportCredentials {
  readonly server: ServerCredentials;
  readonly client: ChannelCredentials;
  readonly serverName: string | undefined;
}

/** Reads the files; without them connections are plain text. Throws the file system's error. */
export async function loadCredentials(files: ClusterTlsFiles | undefined): Promise<TransportCredentials> {
  if (files === undefined) {
    return {
      server: ServerCredentials.createInsecure(),
      client: ChannelCredentials.createInsecure(),
      serverName: undefined,
    };
  }
  const [ca, cert, key] = await Promise.all([
    readFile(files.caFile),
    readFile(files.certFile),
    readFile(files.keyFile),
  ]);
  return {
    server: ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true),
    client: ChannelCredentials.createSsl(ca, key, cert),
    serverName: files.serverName,
  };
}
