/** What a node answers to its peers: the cluster's own calls here, the others by whoever registered for them. */
import { create } from '@bufbuild/protobuf';
import { BirthResponseSchema, RaftBatchResponseSchema } from '../../proto/gen/torchring/v1/raft_pb.ts';
import type { ControlGroup } from './control_group.ts';
import { TransportError, transportErrorCodes } from './errors.ts';
import type { Membership } from './membership.ts';
import { packetFromWire, responseToWire } from './transport/gossip_codec.ts';
import type { NodeHandlers } from './transport/grpc_service.ts';
import { birthFromWire, raftFromWire } from './transport/raft_codec.ts';

/** The calls that upper rooms answer. */
export type UpperHandlers = Partial<Pick<NodeHandlers, 'deliver' | 'write' | 'execute'>>;

export interface HandlerTargets {
  /** Undefined while the node starts or stops. */
  parts(): { readonly membership: Membership; readonly group: ControlGroup } | undefined;
  upper(): UpperHandlers;
}

export function nodeHandlers(targets: HandlerTargets): NodeHandlers {
  const parts = (): { membership: Membership; group: ControlGroup } => {
    const current = targets.parts();
    if (current === undefined) throw notServed('the node is starting or stopping');
    return current;
  };
  const upper = <N extends keyof UpperHandlers>(name: N): NonNullable<UpperHandlers[N]> => {
    const handler = targets.upper()[name];
    if (handler === undefined) throw notServed(`nothing answers ${name} calls here yet`);
    return handler;
  };
  return {
    gossip: async (request) => responseToWire(parts().membership.receive(packetFromWire(request))),
    raft: async (request) => {
      const { group } = parts();
      for (const message of raftFromWire(request))
        group.step({ kind: 'raft', groupId: request.groupId, message });
      return create(RaftBatchResponseSchema);
    },
    birth: async (request) => {
      parts().group.step({ kind: 'birth', message: birthFromWire(request) });
      return create(BirthResponseSchema);
    },
    propose: async (request) => parts().group.answerProposal(request.command),
    deliver: async (request, context) => upper('deliver')(request, context),
    write: async (request, context) => upper('write')(request, context),
    execute: (request, context) => upper('execute')(request, context),
  };
}

function notServed(why: string): TransportError {
  return new TransportError(transportErrorCodes.notServed, why);
}
