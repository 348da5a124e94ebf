/**
 * Runs one behavior without threads and timers, and returns what it did to its surroundings as values, in the manner of
 * Akka's BehaviorTestKit: `kit.run(message)` handles the message and gives the effects.
 */
import type { Clock, Logger, Random } from '../../base/index.ts';
import { seededRandom, silentLogger } from '../../base/index.ts';
import type { ActorRef } from '../actor_ref.ts';
import type { ActorContext, ActorProps, Behavior } from '../behavior.ts';
import { nameTakenError } from '../errors.ts';
import { TestInbox } from './inbox.ts';
import { VirtualClock } from './virtual_clock.ts';

/** One thing that a behavior asked of its context. Messages to itself are effects too. */
export type Effect<M> =
  | { readonly effect: 'spawned'; readonly name: string; readonly kind: string }
  | { readonly effect: 'stoppedChild'; readonly path: string }
  | { readonly effect: 'stoppedSelf' }
  | { readonly effect: 'toldSelf'; readonly message: M }
  | { readonly effect: 'watched'; readonly path: string; readonly message: M }
  | { readonly effect: 'unwatched'; readonly path: string }
  | { readonly effect: 'timerStarted'; readonly key: string; readonly delayMs: number; readonly message: M }
  | {
      readonly effect: 'periodicStarted';
      readonly key: string;
      readonly intervalMs: number;
      readonly message: M;
    }
  | { readonly effect: 'timerCancelled'; readonly key: string }
  | { readonly effect: 'piped'; readonly message: M };

export interface BehaviorTestKitDeps {
  readonly clock?: VirtualClock;
  readonly random?: Random;
  readonly log?: Logger;
}

export class BehaviorTestKit<M> {
  readonly clock: VirtualClock;
  readonly behavior: Behavior<M>;
  readonly #context: EffectContext<M>;

  constructor(behavior: Behavior<M>, deps: BehaviorTestKitDeps = {}) {
    this.behavior = behavior;
    this.clock = deps.clock ?? new VirtualClock();
    this.#context = new EffectContext(this.clock, deps.random ?? seededRandom(1), deps.log ?? silentLogger);
  }

  /** Runs `started`; its effects. */
  async start(): Promise<Effect<M>[]> {
    await this.behavior.started?.(this.#context);
    return this.#context.takeEffects();
  }

  /** Handles one message to its end; its effects. Rejects with what the behavior throws. */
  async run(message: M): Promise<Effect<M>[]> {
    await this.behavior.receive(message, this.#context);
    return this.#context.takeEffects();
  }

  /** Effects since the last look, such as pipes that settled meanwhile. */
  takeEffects(): Effect<M>[] {
    return this.#context.takeEffects();
  }

  /** What was told to a child that the behavior spawned. */
  child<C>(name: string): TestInbox<C> {
    return this.#context.child(name) as TestInbox<C>;
  }

  /** Ends the incarnation: aborts its signal, runs `stopped`. */
  async stop(): Promise<void> {
    this.#context.abort.abort();
    await this.behavior.stopped?.();
  }
}

class EffectContext<M> implements ActorContext<M> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly abort: AbortController = new AbortController();
  readonly self: ActorRef<M>;
  readonly #children: Map<string, TestInbox<unknown>> = new Map();
  #effects: Effect<M>[] = [];

  constructor(clock: Clock, random: Random, log: Logger) {
    this.clock = clock;
    this.random = random;
    this.log = log;
    const self = new TestInbox<M>('/test');
    self.tell = (message) => {
      this.#note({ effect: 'toldSelf', message });
      return 'queued';
    };
    this.self = self;
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  takeEffects(): Effect<M>[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  child(name: string): TestInbox<unknown> {
    const child = this.#children.get(name);
    if (child === undefined) throw new Error(`the behavior spawned no child named ${name}`);
    return child;
  }

  spawn<C>(props: ActorProps<C>, name: string): ActorRef<C> {
    if (this.#children.has(name)) throw nameTakenError(`/test/${name}`);
    const inbox = new TestInbox<C>(`/test/${name}`);
    this.#children.set(name, inbox as unknown as TestInbox<unknown>);
    this.#note({ effect: 'spawned', name, kind: props.kind });
    return inbox;
  }

  stopChild<C>(child: ActorRef<C>): Promise<void> {
    this.#note({ effect: 'stoppedChild', path: child.path });
    const name = child.path.slice('/test/'.length);
    this.#children.get(name)?.stop();
    this.#children.delete(name);
    return Promise.resolve();
  }

  stopSelf(): void {
    this.#note({ effect: 'stoppedSelf' });
  }

  watch<T>(ref: ActorRef<T>, message: M): void {
    this.#note({ effect: 'watched', path: ref.path, message });
  }

  unwatch<T>(ref: ActorRef<T>): void {
    this.#note({ effect: 'unwatched', path: ref.path });
  }

  startTimer(key: string, delayMs: number, message: M): void {
    this.#note({ effect: 'timerStarted', key, delayMs, message });
  }

  startPeriodic(key: string, intervalMs: number, message: M): void {
    this.#note({ effect: 'periodicStarted', key, intervalMs, message });
  }

  cancelTimer(key: string): void {
    this.#note({ effect: 'timerCancelled', key });
  }

  pipe<T>(promise: Promise<T>, onOk: (value: T) => M, onFailed: (error: unknown) => M): void {
    promise.then(
      (value) => this.#note({ effect: 'piped', message: onOk(value) }),
      (error: unknown) => this.#note({ effect: 'piped', message: onFailed(error) }),
    );
  }

  #note(effect: Effect<M>): void {
    this.#effects.push(effect);
  }
}
