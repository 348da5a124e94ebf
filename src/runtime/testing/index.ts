export { BehaviorTestKit, type BehaviorTestKitDeps, type Effect } from './behavior_test_kit.ts';
export { DeterministicScheduler } from './deterministic_scheduler.ts';
export { type TestWorld, testWorld } from './harness.ts';
export { TestInbox } from './inbox.ts';
export { jsonCodec } from './json_codec.ts';
export { MemoryNetwork } from './memory_network.ts';
export { VirtualClock } from './virtual_clock.ts';
