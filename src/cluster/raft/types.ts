/** The vocabulary of the control group's log: Raft as in Ongaro's dissertation (2014), chapters 3 and 9. */

export interface Entry {
  readonly index: number;
  readonly term: number;
  /** Empty in the entry with which a new leader commits what it inherited (section 3.6.2, 6.4). */
  readonly command: Uint8Array;
}

/** The state machine as of `lastIndex`, in place of the log up to there. */
export interface Snapshot {
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly state: Uint8Array;
}

export interface HardState {
  readonly term: number;
  /** Whom this node voted for in `term`; empty for nobody. */
  readonly vote: string;
}

export type RaftBody =
  | {
      readonly kind: 'voteRequest';
      readonly preVote: boolean;
      readonly lastIndex: number;
      readonly lastTerm: number;
    }
  | { readonly kind: 'voteResponse'; readonly preVote: boolean; readonly granted: boolean }
  | {
      readonly kind: 'append';
      readonly previousIndex: number;
      readonly previousTerm: number;
      readonly commitIndex: number;
      readonly entries: readonly Entry[];
    }
  | {
      readonly kind: 'appendResponse';
      readonly rejected: boolean;
      /** Accepted: the last index that surely matches. Rejected: the last that may match. */
      readonly matchIndex: number;
    }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot };

export interface RaftMessage {
  readonly from: string;
  readonly to: string;
  readonly term: number;
  readonly body: RaftBody;
}

/** What must be on disk before anything after it is done; atomic. */
export interface Persist {
  readonly hardState?: HardState;
  /** Replaces every entry up to its last index. */
  readonly snapshot?: Snapshot;
  /** Every stored entry from here on is void. */
  readonly truncateFrom?: number;
  readonly entries: readonly Entry[];
}

/** In the order in which they are to be carried out. */
export type RaftEffect =
  | { readonly kind: 'persist'; readonly persist: Persist }
  | { readonly kind: 'send'; readonly message: RaftMessage }
  /** The state machine starts again from this snapshot. */
  | { readonly kind: 'restore'; readonly snapshot: Snapshot }
  | { readonly kind: 'apply'; readonly entries: readonly Entry[] }
  | { readonly kind: 'leader'; readonly leader: string | undefined; readonly term: number };

export type RaftEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'message'; readonly message: RaftMessage }
  /** Who else receives the log: every living member beyond the voters. */
  | { readonly kind: 'learners'; readonly ids: readonly string[] }
  /** The state machine's state as of an applied index; the log up to there can go. */
  | { readonly kind: 'compact'; readonly index: number; readonly state: Uint8Array };

/** What a node finds on its disk at start. */
export interface StoredRaft {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
}

/** Where the group's state survives a crash. `persist` resolves when it is on disk, whole. */
export interface RaftStorage {
  load(): Promise<StoredRaft>;
  persist(persist: Persist): Promise<void>;
}

export const emptyRaft: StoredRaft = { hardState: { term: 0, vote: '' }, snapshot: undefined, entries: [] };
