/** The control group's messages between their wire form and the vocabulary of raft. */
import { create } from '@bufbuild/protobuf';
import {
  BirthMessageSchema,
  type RaftBatch,
  RaftBatchSchema,
  RaftMessageSchema,
  type BirthMessage as WireBirth,
  type RaftEntry as WireEntry,
  type RaftMessage as WireMessage,
} from '../../../proto/gen/torchring/v1/raft_pb.ts';
import { ClusterFormatError } from '../errors.ts';
import { isNodeId } from '../node_id.ts';
import type { BirthBody, BirthMessage } from '../raft/birth_types.ts';
import type { Entry, RaftBody, RaftMessage } from '../raft/types.ts';

const participantsMax = 1_000;

type WireBody = WireMessage['body'];

function bodyToWire(body: RaftBody): WireBody {
  // The oneof's members are completed by `create`; the casts only say that these are initializers.
  const wire = (value: unknown): WireBody => value as WireBody;
  switch (body.kind) {
    case 'voteRequest': {
      const { preVote, lastIndex, lastTerm } = body;
      return wire({
        case: 'voteRequest',
        value: { preVote, lastIndex: BigInt(lastIndex), lastTerm: BigInt(lastTerm) },
      });
    }
    case 'voteResponse':
      return wire({ case: 'voteResponse', value: { preVote: body.preVote, granted: body.granted } });
    case 'append':
      return wire({
        case: 'append',
        value: {
          previousIndex: BigInt(body.previousIndex),
          previousTerm: BigInt(body.previousTerm),
          commitIndex: BigInt(body.commitIndex),
          entries: body.entries.map(({ index, term, command }) => ({
            index: BigInt(index),
            term: BigInt(term),
            command,
          })),
        },
      });
    case 'appendResponse':
      return wire({
        case: 'appendResponse',
        value: { rejected: body.rejected, matchIndex: BigInt(body.matchIndex) },
      });
    case 'snapshot': {
      const { lastIndex, lastTerm, state } = body.snapshot;
      return wire({
        case: 'snapshot',
        value: { lastIndex: BigInt(lastIndex), lastTerm: BigInt(lastTerm), state },
      });
    }
  }
}

/** Messages of one group to one peer. */
export function raftToWire(groupId: string, messages: readonly RaftMessage[]): RaftBatch {
  return create(RaftBatchSchema, {
    groupId,
    messages: messages.map(({ from, to, term, body }) =>
      create(RaftMessageSchema, { from, to, term: BigInt(term), body: bodyToWire(body) }),
    ),
  });
}

/** Throws ClusterFormatError. */
export function raftFromWire(batch: RaftBatch): RaftMessage[] {
  return batch.messages.map(({ from, to, term, body }) => {
    checkId(from);
    return { from, to, term: Number(term), body: bodyFromWire(body) };
  });
}

const entryFromWire = ({ index, term, command }: WireEntry): Entry => ({
  index: Number(index),
  term: Number(term),
  command,
});

function bodyFromWire(body: WireBody): RaftBody {
  switch (body.case) {
    case 'voteRequest': {
      const { preVote, lastIndex, lastTerm } = body.value;
      return { kind: 'voteRequest', preVote, lastIndex: Number(lastIndex), lastTerm: Number(lastTerm) };
    }
    case 'voteResponse':
      return { kind: 'voteResponse', preVote: body.value.preVote, granted: body.value.granted };
    case 'append': {
      const previousIndex = Number(body.value.previousIndex);
      const entries = body.value.entries.map(entryFromWire);
      for (const [i, { index }] of entries.entries()) {
        if (index !== previousIndex + 1 + i) throw new ClusterFormatError(`entry ${index} out of order`);
      }
      const previousTerm = Number(body.value.previousTerm);
      return {
        kind: 'append',
        previousIndex,
        previousTerm,
        commitIndex: Number(body.value.commitIndex),
        entries,
      };
    }
    case 'appendResponse': {
      const { rejected, matchIndex } = body.value;
      return { kind: 'appendResponse', rejected, matchIndex: Number(matchIndex) };
    }
    case 'snapshot': {
      const { lastIndex, lastTerm, state } = body.value;
      return {
        kind: 'snapshot',
        snapshot: { lastIndex: Number(lastIndex), lastTerm: Number(lastTerm), state },
      };
    }
    case undefined:
      throw new ClusterFormatError('a raft message of a kind that this version does not know');
  }
}

function birthBodyToWire(body: BirthBody): WireBirth['body'] {
  const wire = (value: unknown): WireBirth['body'] => value as WireBirth['body'];
  switch (body.kind) {
    case 'proposal': {
      const { birthId, coordinator, participants, voters } = body.proposal;
      return wire({
        case: 'proposal',
        value: { birthId, coordinator, participants: [...participants], voters: [...voters] },
      });
    }
    case 'promise': {
      const { birthId, promised, groupId } = body;
      return wire({ case: 'promise', value: { birthId, promised, groupId } });
    }
    case 'query':
      return wire({ case: 'query', value: { birthId: body.birthId } });
    case 'outcome':
      return wire({ case: 'outcome', value: { birthId: body.birthId, committed: body.committed } });
  }
}

export function birthToWire({ from, to, body }: BirthMessage): WireBirth {
  return create(BirthMessageSchema, { from, to, body: birthBodyToWire(body) });
}

/** Throws ClusterFormatError. */
export function birthFromWire({ from, to, body }: WireBirth): BirthMessage {
  checkId(from);
  switch (body.case) {
    case 'proposal': {
      const { birthId, coordinator, participants, voters } = body.value;
      if (participants.length > participantsMax) throw new ClusterFormatError('too many participants');
      for (const id of [coordinator, ...participants, ...voters]) checkId(id);
      return {
        from,
        to,
        body: { kind: 'proposal', proposal: { birthId, coordinator, participants, voters } },
      };
    }
    case 'promise': {
      const { birthId, promised, groupId } = body.value;
      return { from, to, body: { kind: 'promise', birthId, promised, groupId } };
    }
    case 'query':
      return { from, to, body: { kind: 'query', birthId: body.value.birthId } };
    case 'outcome':
      return {
        from,
        to,
        body: { kind: 'outcome', birthId: body.value.birthId, committed: body.value.committed },
      };
    case undefined:
      throw new ClusterFormatError('a birth message of a kind that this version does not know');
  }
}

function checkId(id: string): void {
  if (!isNodeId(id)) throw new ClusterFormatError(`not a node id: ${JSON.stringify(id.slice(0, 80))}`);
}
