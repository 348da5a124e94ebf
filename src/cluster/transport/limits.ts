/** Bounds of the transport, shared by both ends. */
import { assert } from '../../base/index.ts';

export const messageBytesMax: number = 64 * 1024 * 1024;
export const keepaliveTimeMs = 10_000;
export const keepaliveTimeoutMs = 5_000;
export const reconnectBackoffMinMs = 100;
export const reconnectBackoffMaxMs = 1_000;
export const channelsMax = 512;
/** No call may wait longer than this, whatever its caller asked. */
export const deadlineMsMax = 600_000;

assert(reconnectBackoffMinMs <= reconnectBackoffMaxMs, 'reconnect backoff bounds are ordered');
