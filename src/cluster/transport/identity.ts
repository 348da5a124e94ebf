/**
 * Who belongs together: every call between nodes names its cluster and proves that it knows the shared
 * secret. The proof is HMAC-SHA-256 of the name under the secret and is compared in constant time; it is a
 * bearer token, so a network that others can read needs TLS besides.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';

const clusterHeader = 'torchring-cluster';
const secretHeader = 'torchring-secret';
export const fromHeader = 'torchring-from';

export interface ClusterIdentity {
  readonly clusterName: string;
  /** The shared secret; empty when the cluster has none. */
  readonly secret: string;
  readonly nodeId: string;
}

/** The token that proves knowledge of the secret for this cluster's name. */
export function secretProof(identity: ClusterIdentity): string {
  return createHmac('sha256', `torchring:${identity.secret}`)
    .update(identity.clusterName)
    .digest('base64url');
}

/** The metadata of every call from this node. */
export function callMetadata(identity: ClusterIdentity): Metadata {
  const metadata = new Metadata();
  metadata.set(clusterHeader, encodeURIComponent(identity.clusterName));
  metadata.set(secretHeader, secretProof(identity));
  metadata.set(fromHeader, identity.nodeId);
  return metadata;
}

/** Why a call is refused, or undefined when it may enter. */
export function refusalOf(identity: ClusterIdentity, proof: string, metadata: Metadata): string | undefined {
  const name = String(metadata.get(clusterHeader)[0] ?? '');
  const own = encodeURIComponent(identity.clusterName);
  if (name === '') return 'the caller names no cluster';
  if (name !== own) return `the caller belongs to cluster ${name}, this node to cluster ${own}`;
  const given = Buffer.from(String(metadata.get(secretHeader)[0] ?? ''));
  const wanted = Buffer.from(proof);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return 'the cluster secret differs';
  return undefined;
}
