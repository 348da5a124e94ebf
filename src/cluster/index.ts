export {
  type Envelope,
  EnvelopeSchema,
  type ExecuteChunk,
  ExecuteChunkSchema,
  type ExecuteRequest,
  ExecuteRequestSchema,
  type WriteRequest,
  WriteRequestSchema,
  type WriteResponse,
  WriteResponseSchema,
} from '../../proto/gen/torchring/v1/node_pb.ts';
export type { ClusterDeps, ClusterHooks, ClusterNode, KeyedEntries } from './cluster_node.ts';
export type { ControlCommand, EntrySpace, KeyedEntry } from './control/commands.ts';
export {
  ClusterFormatError,
  ClusterOptionError,
  ProposalError,
  proposalErrorCodes,
  TransportError,
  transportErrorCodes,
} from './errors.ts';
export type { Member, MemberMeta, MemberState } from './gossip/types.ts';
export type { UpperHandlers } from './handlers.ts';
export type { ClusterOptions } from './options.ts';
export type { PeerClient } from './peer_client.ts';
export type { Group } from './raft/birth_types.ts';
export { placementShard } from './ring/placement.ts';
export { computeTable, emptyTable, loadMax, type ShardEntry, type ShardTable } from './ring/table.ts';
export { loadCluster, startCluster } from './start_cluster.ts';
export type { CallOptions } from './transport/client.ts';
export type { CallContext } from './transport/grpc_service.ts';
export type { ClusterTlsFiles } from './transport/tls.ts';
