/** The vocabulary of a control group's birth. */

/** The group that a node belongs to, for good. */
export interface Group {
  readonly groupId: string;
  /** Known to those who took part in the birth; empty for who came later. */
  readonly voters: readonly string[];
  /** Only who took part in the birth, and still has that disk, may vote. */
  readonly mayVote: boolean;
}

export interface BirthProposal {
  /** Becomes the group's id. */
  readonly birthId: string;
  readonly coordinator: string;
  readonly participants: readonly string[];
  readonly voters: readonly string[];
}

/** What is durable of it. A group is never left; a promise is kept until its coordinator says how it ended. */
export interface BirthRecord {
  readonly group: Group | undefined;
  readonly promise: BirthProposal | undefined;
}

export type BirthBody =
  | { readonly kind: 'proposal'; readonly proposal: BirthProposal }
  | {
      readonly kind: 'promise';
      readonly birthId: string;
      readonly promised: boolean;
      /** Set when the node is in a group already. */
      readonly groupId: string;
    }
  | { readonly kind: 'query'; readonly birthId: string }
  | { readonly kind: 'outcome'; readonly birthId: string; readonly committed: boolean };

export interface BirthMessage {
  readonly from: string;
  readonly to: string;
  readonly body: BirthBody;
}

/** A living member as gossip shows it. */
export interface BirthPeer {
  readonly id: string;
  readonly groupId: string;
  readonly expect: number;
}

export type BirthEvent =
  | { readonly kind: 'tick'; readonly peers: readonly BirthPeer[] }
  | { readonly kind: 'message'; readonly message: BirthMessage };

export type BirthEffect =
  | { readonly kind: 'persist'; readonly record: BirthRecord }
  | { readonly kind: 'send'; readonly message: BirthMessage }
  | { readonly kind: 'born'; readonly group: Group }
  /** Nodes of more than one group are in sight. */
  | { readonly kind: 'conflict'; readonly groupIds: readonly string[] };
