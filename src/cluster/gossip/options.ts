/** Times and bounds of membership. All times in milliseconds; the defaults suit a LAN and loopback. */
import { assert } from '../../base/index.ts';

export interface GossipOptions {
  /** One member is probed per interval (SWIM's protocol period). */
  readonly probeIntervalMs: number;
  /** After this a direct probe is helped by relays. */
  readonly probeTimeoutMs: number;
  /** Relays per failed probe (SWIM's k). */
  readonly relays: number;
  /** Suspicion lasts at least suspicionFactor × max(1, log10(members)) × probeIntervalMs. */
  readonly suspicionFactor: number;
  /** A fresh update is handed on at this interval, to `fanout` members. */
  readonly gossipIntervalMs: number;
  readonly fanout: number;
  /** An update is sent retransmitFactor × ceil(log10(members + 1)) times by each node. */
  readonly retransmitFactor: number;
  /** Whole states are compared with one random member per interval. */
  readonly pushPullIntervalMs: number;
  /** Seeds and dead members are tried again at this interval; backing off up to it while alone. */
  readonly reconnectIntervalMs: number;
  readonly joinRetryMinMs: number;
  /** Dead and left members are forgotten after this. */
  readonly reapAfterMs: number;
}

export const defaultGossipOptions: GossipOptions = {
  probeIntervalMs: 1_000,
  probeTimeoutMs: 500,
  relays: 3,
  suspicionFactor: 3,
  gossipIntervalMs: 200,
  fanout: 3,
  retransmitFactor: 4,
  pushPullIntervalMs: 15_000,
  reconnectIntervalMs: 5_000,
  joinRetryMinMs: 250,
  reapAfterMs: 24 * 3_600_000,
};

export const membersMax = 2_000;
export const updatesPerPacketMax = 16;
export const relayedProbesMax = 1_000;
export const seedAddressesMax = 256;
/** Independent suspicions that bring the time to confirm one down to its minimum. */
export const confirmationsMax = 2;
/** An unconfirmed suspicion lasts this many times the minimum where others could confirm it. */
export const suspicionMaxFactor = 2;

export function assertGossipOptions(options: GossipOptions): void {
  assert(options.probeTimeoutMs < options.probeIntervalMs, 'relays need time before the probe interval ends');
  assert(
    options.joinRetryMinMs <= options.reconnectIntervalMs,
    'join retries back off up to the reconnect interval',
  );
}
