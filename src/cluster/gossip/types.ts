/** The vocabulary of membership: what nodes tell each other, what happens to a node, what it wants done. */

/** What a node says about itself; it changes only together with the incarnation. */
export interface MemberMeta {
  readonly id: string;
  /** host:port of the gRPC listener as others reach it. */
  readonly advertiseAddress: string;
  readonly httpAddress: string;
  readonly alertmanagerAddress: string;
  readonly zone: string;
  readonly version: string;
  readonly configHash: string;
  /** The control group it belongs to; empty before its birth. */
  readonly groupId: string;
  /** Whether it votes in that group. */
  readonly voter: boolean;
  /** Version of the shard table that it has applied. */
  readonly tableVersion: number;
  /** Wall time of its start; also its first incarnation, so that a restarted node outranks its past. */
  readonly startedAtMs: number;
  /** How many nodes it waits for before a control group is born. */
  readonly expect: number;
}

/** In the order that decides between equal incarnations. */
export const memberStates = ['alive', 'suspect', 'dead', 'left'] as const;
export type MemberState = (typeof memberStates)[number];

/** One claim about a member. Claims about one member are totally ordered by (incarnation, state). */
export interface MemberUpdate {
  readonly meta: MemberMeta;
  readonly state: MemberState;
  readonly incarnation: number;
  /** Who claims it. */
  readonly by: string;
}

export type GossipBody =
  | { readonly kind: 'ping'; readonly sequence: number /** Empty when unknown. */; readonly target: string }
  | { readonly kind: 'ack'; readonly sequence: number }
  | {
      readonly kind: 'pingRequest';
      readonly sequence: number;
      readonly target: string;
      readonly targetAddress: string;
    }
  | { readonly kind: 'pushPull'; readonly reply: boolean }
  /** Nothing but the updates. */
  | { readonly kind: 'updates' };

export interface GossipPacket {
  readonly from: string;
  readonly fromAddress: string;
  readonly body: GossipBody;
  readonly updates: readonly MemberUpdate[];
}

export interface Member {
  readonly meta: MemberMeta;
  readonly state: MemberState;
  readonly incarnation: number;
  /** When this node learnt of the state, on its monotonic clock. */
  readonly sinceMs: number;
}

export type GossipEvent =
  /** Time passed. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'packet'; readonly packet: GossipPacket }
  /** A packet surely did not arrive: the connection was refused. */
  | { readonly kind: 'unreachable'; readonly address: string }
  /** What the seeds' names resolve to now. */
  | { readonly kind: 'seeds'; readonly addresses: readonly string[] }
  /** Something about this node changed. */
  | { readonly kind: 'meta'; readonly changes: Partial<Omit<MemberMeta, 'id' | 'startedAtMs'>> }
  | { readonly kind: 'leave' };

export type GossipEffect =
  | { readonly kind: 'send'; readonly address: string; readonly packet: GossipPacket }
  | { readonly kind: 'resolveSeeds' }
  | { readonly kind: 'changed'; readonly member: Member; readonly previous: MemberState | undefined }
  /** A probe and its relays went unanswered. */
  | { readonly kind: 'probeFailed'; readonly id: string }
  /** Another node says that it is this one, and started later. */
  | { readonly kind: 'idConflict'; readonly address: string };
