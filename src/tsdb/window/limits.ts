/** Sizes and bounds of sealed windows, in one place because they depend on each other. */
import { assert } from '../../base/index.ts';

/** What one sealing covers; windows begin at multiples of it. */
export const windowMs = 7_200_000;
/** What compaction joins windows to; joined windows end at multiples of it. */
export const joinedWindowMs = 86_400_000;
/** Pages are closed when their blocks have this size before compression. */
export const pageBytesTarget: number = 64 * 1024;
/** Pages and index chunks that are read at once; opening them is a part of a slice. */
export const readsAtOnceMax = 8;
/** A longer series is cut into blocks of this many samples, so that a page can't grow without bound. */
export const blockSamplesMax = 8192;
/** The largest value of an index key, its header apart. */
export const chunkBytesMax: number = 64 * 1024;
/** Nothing of sealing and compaction holds the thread longer. */
const sliceMs = 20;
/** When work pauses: early enough that a last page or chunk still fits the slice. */
export const sliceBudgetMs = 10;
/** Deletions that wait for compaction; more are refused. */
export const tombstonesMax = 1024;
/** Matchers of one deletion. */
export const tombstoneMatchersMax = 64;

assert(joinedWindowMs % windowMs === 0, 'joined windows hold whole windows');
assert(sliceBudgetMs < sliceMs, 'work pauses before the slice is over');
