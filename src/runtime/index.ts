export { type ActorRef, ask, type MakeAsk, type ReplyTo, type TellOutcome } from './actor_ref.ts';
export { type ActorContext, type ActorProps, type Behavior, mailboxMaxDefault } from './behavior.ts';
export type { Runnable, Scheduler } from './dispatcher.ts';
export { runtimeErrorCodes } from './errors.ts';
export { connectThread, type LinkPort, ThreadLink } from './remote/thread_link.ts';
export { backoffMs, type FailureDirective, type Supervision } from './supervision.ts';
export { ActorSystem, type ActorSystemDeps } from './system.ts';
export { runThread, type ThreadContext, type ThreadMain } from './threads/entry.ts';
export { ThreadGroup, type ThreadGroupOptions } from './threads/thread_group.ts';
