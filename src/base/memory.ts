/**
 * What the start of a thread leaves behind in memory: the compile cache that it read, and the garbage of loading a
 * thousand modules, a third of an idle heap. V8 would come for it late, as an idle node allocates little.
 */
import { flushCompileCache } from 'node:module';

/** To be called once by a thread that is up. Takes some ten milliseconds; the cache is safe on disk then. */
export function forgetStart(): void {
  flushCompileCache();
  // There with Node's --expose-gc, which bin/torchring sets; this kind shrinks the young generation, too.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
