/**
 * The control group's consensus: Raft (Ongaro 2014) with pre-vote and check-quorum (section 9.6, 6.2) and
 * non-voting learners, in the shape of etcd's core: events go in, effects come out, and what must be durable
 * precedes what is sent. Counts ticks, not time. Roles change in become* alone.
 */
import { assert, type Random } from '../../base/index.ts';
import { assertRaftOptions, type RaftOptions } from './options.ts';
import { freshProgress, majorityIndex, type Progress, quorumOf } from './progress.ts';
import { RaftLog } from './raft_log.ts';
import type {
  Entry,
  HardState,
  RaftBody,
  RaftEffect,
  RaftEvent,
  RaftMessage,
  Snapshot,
  StoredRaft,
} from './types.ts';

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

export interface RaftSettings {
  readonly selfId: string;
  /** The group's voters; empty when this node only learns and does not know them. */
  readonly voters: readonly string[];
  /** False for a node that came later, or that lost its disk: it must never vote with a forgotten term. */
  readonly mayVote: boolean;
  readonly options: RaftOptions;
}

type BodyOf<K extends RaftBody['kind']> = Extract<RaftBody, { kind: K }>;

export class RaftCore {
  readonly #settings: RaftSettings;
  readonly #random: Random;
  readonly #log: RaftLog;
  #term: number;
  #vote: string;
  #role: Role = 'follower';
  #leader: string | undefined;
  #commitIndex: number;
  #appliedIndex: number;
  #elapsedTicks = 0;
  #heartbeatTicks = 0;
  #timeoutTicks = 0;
  #votes = new Map<string, boolean>();
  #learners: readonly string[] = [];
  readonly #progress = new Map<string, Progress>();
  #stored: HardState;
  #toldLeader: string | undefined;
  #toldTerm = 0;
  #messages: RaftMessage[] = [];
  #restore: Snapshot | undefined;
  /** The commit index at which this node, since its start, first had all that its leader knew to be committed. */
  #caughtUpIndex: number | undefined;
  #caughtUpNow = false;

  constructor(settings: RaftSettings, stored: StoredRaft, random: Random) {
    assertRaftOptions(settings.options);
    this.#settings = settings;
    this.#random = random;
    this.#log = new RaftLog(stored);
    this.#term = stored.hardState.term;
    this.#vote = stored.hardState.vote;
    this.#stored = stored.hardState;
    this.#commitIndex = this.#log.snapshotIndex;
    this.#appliedIndex = this.#log.snapshotIndex;
    this.#restore = stored.snapshot;
    this.#resetTimeout();
  }

  get term(): number {
    return this.#term;
  }
  get role(): Role {
    return this.#role;
  }
  get leader(): string | undefined {
    return this.#leader;
  }
  get commitIndex(): number {
    return this.#commitIndex;
  }
  /** Undefined as long as others may have committed what this node has not heard of since its start. */
  get caughtUpIndex(): number | undefined {
    return this.#caughtUpIndex;
  }
  get log(): RaftLog {
    return this.#log;
  }

  /** Takes one event. Effects gather until `takeEffects`. */
  step(event: RaftEvent): void {
    switch (event.kind) {
      case 'tick':
        this.#tick();
        break;
      case 'message':
        this.#receive(event.message);
        break;
      case 'learners':
        this.#setLearners(event.ids);
        break;
      case 'compact':
        assert(event.index <= this.#appliedIndex, 'only what was applied is compacted');
        this.#log.compact(event.index, event.state);
        break;
    }
  }

  /** Appends a command on the leader; undefined when this node does not lead or too much is uncommitted. */
  propose(command: Uint8Array): { index: number; term: number } | undefined {
    if (this.#role !== 'leader') return undefined;
    if (this.#log.lastIndex - this.#commitIndex >= this.#settings.options.uncommittedMax) return undefined;
    return this.#appendOwn(command);
  }

  /** What the events so far want done, in order: persist, send, restore, apply, leader. An apply may be empty: caught up. */
  takeEffects(): RaftEffect[] {
    const effects: RaftEffect[] = [];
    const unstable = this.#log.takeUnstable();
    const hardState = { term: this.#term, vote: this.#vote };
    const hardChanged = hardState.term !== this.#stored.term || hardState.vote !== this.#stored.vote;
    if (unstable !== undefined || hardChanged) {
      this.#stored = hardState;
      const persist = { ...(unstable ?? { entries: [] }), ...(hardChanged ? { hardState } : {}) };
      effects.push({ kind: 'persist', persist });
    }
    for (const message of this.#messages) effects.push({ kind: 'send', message });
    this.#messages = [];
    if (this.#restore !== undefined) {
      effects.push({ kind: 'restore', snapshot: this.#restore });
      this.#restore = undefined;
    }
    if (this.#appliedIndex < this.#commitIndex || this.#caughtUpNow) {
      this.#caughtUpNow = false;
      const entries = this.#log.slice(this.#appliedIndex + 1, this.#commitIndex, Infinity, Infinity);
      this.#appliedIndex = this.#commitIndex;
      effects.push({ kind: 'apply', entries });
    }
    if (this.#leader !== this.#toldLeader || (this.#leader !== undefined && this.#term !== this.#toldTerm)) {
      this.#toldLeader = this.#leader;
      this.#toldTerm = this.#term;
      effects.push({ kind: 'leader', leader: this.#leader, term: this.#term });
    }
    return effects;
  }

  // ---- roles

  get #canCampaign(): boolean {
    return this.#settings.mayVote && this.#settings.voters.includes(this.#settings.selfId);
  }

  #becomeFollower(term: number, leader: string | undefined): void {
    assert(term >= this.#term, 'terms never fall');
    if (term > this.#term) {
      this.#term = term;
      this.#vote = '';
    }
    this.#role = 'follower';
    this.#leader = leader;
    this.#progress.clear();
    this.#resetTimeout();
  }

  #becomePreCandidate(): void {
    assert(this.#role !== 'leader', 'a leader does not campaign');
    this.#role = 'preCandidate';
    this.#leader = undefined;
    this.#campaign(true);
  }

  #becomeCandidate(): void {
    assert(this.#role !== 'leader' && this.#canCampaign, 'only voters that do not lead campaign');
    this.#role = 'candidate';
    this.#term += 1;
    this.#vote = this.#settings.selfId;
    this.#campaign(false);
  }

  #becomeLeader(): void {
    assert(this.#role === 'candidate', 'only a candidate becomes leader');
    this.#role = 'leader';
    this.#leader = this.#settings.selfId;
    this.#elapsedTicks = 0;
    this.#heartbeatTicks = 0;
    this.#progress.clear();
    for (const peer of this.#peers()) this.#progress.set(peer, freshProgress(this.#log.lastIndex));
    this.#appendOwn(new Uint8Array());
  }

  #resetTimeout(): void {
    this.#elapsedTicks = 0;
    const { electionTicks } = this.#settings.options;
    this.#timeoutTicks = electionTicks + this.#random.below(electionTicks);
  }

  // ---- time

  #tick(): void {
    this.#elapsedTicks++;
    if (this.#role === 'leader') {
      this.#tickLeader();
    } else if (this.#canCampaign) {
      const alone = this.#settings.voters.length === 1;
      if (alone || this.#elapsedTicks >= this.#timeoutTicks) this.#becomePreCandidate();
    } else if (this.#elapsedTicks >= this.#settings.options.electionTicks * 2) {
      this.#leader = undefined;
    }
  }

  #tickLeader(): void {
    const { heartbeatTicks, electionTicks } = this.#settings.options;
    if (this.#elapsedTicks >= electionTicks) {
      this.#elapsedTicks = 0;
      if (!this.#quorumIsActive()) {
        this.#becomeFollower(this.#term, undefined);
        return;
      }
    }
    for (const progress of this.#progress.values()) {
      if (progress.snapshotTicks !== undefined) progress.snapshotTicks++;
    }
    this.#heartbeatTicks++;
    if (this.#heartbeatTicks < heartbeatTicks) return;
    this.#heartbeatTicks = 0;
    for (const peer of this.#progress.keys()) this.#sendAppend(peer);
  }

  /** Section 6.2: a leader that hears from no majority must not go on as one. */
  #quorumIsActive(): boolean {
    const { voters, selfId } = this.#settings;
    let active = 0;
    for (const voter of voters) {
      const progress = this.#progress.get(voter);
      if (voter === selfId || progress?.active === true) active++;
      if (progress !== undefined) progress.active = false;
    }
    return active >= quorumOf(voters.length);
  }

  // ---- elections

  #campaign(preVote: boolean): void {
    this.#resetTimeout();
    this.#votes = new Map([[this.#settings.selfId, true]]);
    const { lastIndex, lastTerm } = this.#log;
    const term = preVote ? this.#term + 1 : this.#term;
    for (const voter of this.#settings.voters) {
      if (voter !== this.#settings.selfId) {
        this.#send(voter, { kind: 'voteRequest', preVote, lastIndex, lastTerm }, term);
      }
    }
    this.#countVotes(preVote);
  }

  #countVotes(preVote: boolean): void {
    const needed = quorumOf(this.#settings.voters.length);
    const answers = [...this.#votes.values()];
    const granted = answers.filter(Boolean).length;
    if (granted >= needed) {
      if (preVote) this.#becomeCandidate();
      else this.#becomeLeader();
    } else if (answers.length - granted >= needed) {
      this.#becomeFollower(this.#term, undefined);
    }
  }

  #onVoteRequest(message: RaftMessage, body: BodyOf<'voteRequest'>): void {
    if (!this.#canCampaign) return;
    // Section 4.2.3: whoever hears from a leader does not help to replace it.
    const leased = this.#leader !== undefined && this.#elapsedTicks < this.#settings.options.electionTicks;
    if (leased && message.term > this.#term && this.#leader !== message.from) return;
    if (!body.preVote && message.term > this.#term) this.#becomeFollower(message.term, undefined);
    const upToDate = this.#log.upToDate(body.lastIndex, body.lastTerm);
    if (body.preVote) {
      const granted = upToDate && message.term > this.#term;
      this.#send(
        message.from,
        { kind: 'voteResponse', preVote: true, granted },
        granted ? message.term : this.#term,
      );
      return;
    }
    const free = this.#vote === '' || this.#vote === message.from;
    const granted = message.term === this.#term && free && this.#leader === undefined && upToDate;
    if (granted) {
      this.#vote = message.from;
      this.#resetTimeout();
    }
    this.#send(message.from, { kind: 'voteResponse', preVote: false, granted });
  }

  #onVoteResponse(message: RaftMessage, body: BodyOf<'voteResponse'>): void {
    if (message.term > this.#term && !(body.preVote && body.granted)) {
      this.#becomeFollower(message.term, undefined);
      return;
    }
    const wanted = body.preVote ? 'preCandidate' : 'candidate';
    const term = body.preVote && body.granted ? this.#term + 1 : this.#term;
    if (this.#role !== wanted || message.term !== term) return;
    if (!this.#settings.voters.includes(message.from) || this.#votes.has(message.from)) return;
    this.#votes.set(message.from, body.granted);
    this.#countVotes(body.preVote);
  }

  // ---- replication, the follower's side

  #receive(message: RaftMessage): void {
    const { body } = message;
    switch (body.kind) {
      case 'voteRequest':
        this.#onVoteRequest(message, body);
        break;
      case 'voteResponse':
        this.#onVoteResponse(message, body);
        break;
      case 'append':
        if (this.#follows(message)) this.#onAppend(message.from, body);
        break;
      case 'snapshot':
        if (this.#follows(message)) this.#onSnapshot(message.from, body.snapshot);
        break;
      case 'appendResponse':
        this.#onAppendResponse(message, body);
        break;
    }
  }

  /** Whether the sender leads this term; an old leader is told the newer one. */
  #follows(message: RaftMessage): boolean {
    if (message.term < this.#term) {
      this.#send(message.from, { kind: 'appendResponse', rejected: true, matchIndex: this.#log.lastIndex });
      return false;
    }
    assert(
      this.#role !== 'leader' || message.term > this.#term,
      `two leaders in term ${message.term}: this node and ${message.from}`,
    );
    this.#becomeFollower(message.term, message.from);
    return true;
  }

  #onAppend(leader: string, body: BodyOf<'append'>): void {
    const { previousIndex, previousTerm } = body;
    if (previousIndex >= this.#log.snapshotIndex && this.#log.termAt(previousIndex) !== previousTerm) {
      const matchIndex = this.#conflictHint(previousIndex);
      this.#send(leader, { kind: 'appendResponse', rejected: true, matchIndex });
      return;
    }
    this.#log.merge(body.entries, this.#commitIndex);
    const lastNew = Math.max(previousIndex + body.entries.length, this.#log.snapshotIndex);
    this.#commitTo(Math.min(body.commitIndex, lastNew));
    this.#noteCaughtUp(body.commitIndex);
    this.#send(leader, { kind: 'appendResponse', rejected: false, matchIndex: lastNew });
  }

  /** The end of the term before the conflicting one (end of section 3.5): a term is skipped per round trip. */
  #conflictHint(previousIndex: number): number {
    let index = Math.min(previousIndex - 1, this.#log.lastIndex);
    const term = this.#log.termAt(previousIndex);
    if (term === undefined) return index;
    while (index > this.#commitIndex && this.#log.termAt(index) === term) index--;
    return index;
  }

  #onSnapshot(leader: string, snapshot: Snapshot): void {
    if (snapshot.lastIndex > this.#commitIndex) {
      this.#log.restore(snapshot);
      this.#commitIndex = snapshot.lastIndex;
      this.#appliedIndex = snapshot.lastIndex;
      this.#restore = snapshot;
    }
    this.#send(leader, { kind: 'appendResponse', rejected: false, matchIndex: this.#commitIndex });
  }

  #commitTo(index: number): void {
    if (index <= this.#commitIndex) return;
    assert(index <= this.#log.lastIndex, 'only what is in the log is committed');
    this.#commitIndex = index;
  }

  /** A leader knows the whole of what is committed once an entry of its own term is (section 6.4). */
  #noteCaughtUp(leaderCommitIndex: number): void {
    if (this.#caughtUpIndex !== undefined || this.#commitIndex < leaderCommitIndex) return;
    if (this.#log.termAt(this.#commitIndex) !== this.#term) return;
    this.#caughtUpIndex = this.#commitIndex;
    this.#caughtUpNow = true;
  }

  // ---- replication, the leader's side

  #peers(): string[] {
    const { voters, selfId } = this.#settings;
    return [...new Set([...voters, ...this.#learners])].filter((id) => id !== selfId);
  }

  #setLearners(ids: readonly string[]): void {
    this.#learners = ids;
    if (this.#role !== 'leader') return;
    const peers = this.#peers();
    for (const peer of peers) {
      if (this.#progress.has(peer)) continue;
      this.#progress.set(peer, freshProgress(this.#log.lastIndex));
      this.#sendAppend(peer);
    }
    for (const peer of this.#progress.keys()) if (!peers.includes(peer)) this.#progress.delete(peer);
  }

  #appendOwn(command: Uint8Array): { index: number; term: number } {
    const entry: Entry = { index: this.#log.lastIndex + 1, term: this.#term, command };
    this.#log.append(entry);
    for (const [peer, progress] of this.#progress) if (!progress.paused) this.#sendAppend(peer);
    this.#maybeCommit();
    return { index: entry.index, term: entry.term };
  }

  #sendAppend(peer: string): void {
    const progress = this.#progress.get(peer);
    assert(progress !== undefined, 'appends go to peers');
    const previousIndex = progress.nextIndex - 1;
    const { snapshot } = this.#log;
    progress.paused = true;
    if (previousIndex < this.#log.snapshotIndex && snapshot !== undefined) {
      if ((progress.snapshotTicks ?? Infinity) < this.#settings.options.electionTicks) return;
      progress.snapshotTicks = 0;
      progress.sentIndex = snapshot.lastIndex;
      this.#send(peer, { kind: 'snapshot', snapshot });
      return;
    }
    const { entriesPerMessageMax, bytesPerMessageMax } = this.#settings.options;
    const { nextIndex } = progress;
    const entries = this.#log.slice(nextIndex, this.#log.lastIndex, entriesPerMessageMax, bytesPerMessageMax);
    progress.sentIndex = previousIndex + entries.length;
    const previousTerm = this.#log.termAt(previousIndex) ?? 0;
    const { commitIndex } = this;
    this.#send(peer, { kind: 'append', previousIndex, previousTerm, commitIndex, entries });
  }

  #onAppendResponse(message: RaftMessage, body: BodyOf<'appendResponse'>): void {
    if (message.term > this.#term) {
      this.#becomeFollower(message.term, undefined);
      return;
    }
    const progress = this.#progress.get(message.from);
    if (this.#role !== 'leader' || message.term < this.#term || progress === undefined) return;
    progress.active = true;
    if (body.rejected) this.#onRejection(message.from, progress, body.matchIndex);
    else this.#onMatch(message.from, progress, body.matchIndex);
  }

  /** A repeated refusal changes nothing and causes nothing: else duplicates would breed messages. */
  #onRejection(peer: string, progress: Progress, hintIndex: number): void {
    if (hintIndex + 1 >= progress.nextIndex) return;
    // A peer that lost its disk has less than it once acknowledged. A lower bound may always be lowered.
    progress.matchIndex = Math.min(progress.matchIndex, hintIndex);
    progress.nextIndex = hintIndex + 1;
    progress.snapshotTicks = undefined;
    this.#sendAppend(peer);
  }

  #onMatch(peer: string, progress: Progress, matchIndex: number): void {
    assert(matchIndex <= this.#log.lastIndex, 'nobody has more of this term than its leader');
    const advanced = matchIndex > progress.matchIndex;
    if (advanced || matchIndex >= progress.sentIndex) {
      progress.paused = false;
      progress.snapshotTicks = undefined;
    }
    progress.matchIndex = Math.max(progress.matchIndex, matchIndex);
    progress.nextIndex = Math.max(progress.nextIndex, progress.matchIndex + 1);
    if (advanced) this.#maybeCommit();
    if (!progress.paused && progress.nextIndex <= this.#log.lastIndex) this.#sendAppend(peer);
  }

  /** Section 3.6.2: only an entry of the current term is committed by counting. */
  #maybeCommit(): void {
    const { voters, selfId } = this.#settings;
    const index = majorityIndex(
      voters.map((voter) =>
        voter === selfId ? this.#log.lastIndex : (this.#progress.get(voter)?.matchIndex ?? 0),
      ),
    );
    if (index <= this.#commitIndex || this.#log.termAt(index) !== this.#term) return;
    this.#commitTo(index);
    this.#noteCaughtUp(index);
    // Followers learn at once, so that a proposal is applied everywhere without waiting for a heartbeat.
    for (const [peer, progress] of this.#progress) if (!progress.paused) this.#sendAppend(peer);
  }

  #send(to: string, body: RaftBody, term: number = this.#term): void {
    this.#messages.push({ from: this.#settings.selfId, to, term, body });
  }
}
