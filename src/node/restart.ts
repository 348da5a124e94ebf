/**
 * The first start of an installation has to strip its sources of types. The compiler that does so stays in memory,
 * some 20 MB in each thread; later starts find its results in the compile cache. So the first start becomes a later one.
 */
import { flushCompileCache } from 'node:module';

/** Set in the environment of a process that began anew, so that it does so once only, whatever becomes of the cache. */
const restartedVariable = 'TORCHRING_RESTARTED';

/**
 * Begins the process anew if the compiler was loaded for what is there, once `loadRest` has loaded what is loaded later or
 * in threads: that is in the cache then, too. To be called before anything runs. Returns where there is nothing to gain or
 * the platform can't. A warm start loads nothing early.
 */
export async function restartIfCompiled(loadRest: () => Promise<unknown>): Promise<void> {
  const { execve, env } = process;
  if (!isCompilerLoaded() || execve === undefined || process.platform === 'win32') return;
  if (env['NODE_COMPILE_CACHE'] === undefined || env[restartedVariable] !== undefined) return;
  await loadRest();
  flushCompileCache();
  const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  execve(process.execPath, words, { ...env, [restartedVariable]: '1' });
}

function isCompilerLoaded(): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.some((name) => name.includes('internal/deps/amaro/')) === true;
}
