/** `torchring node`: one node in the foreground until a signal or /-/quit ends it. */
import { loadWorker } from '../actors/index.ts';
import {
  CodedError,
  createLogger,
  errorText,
  forgetStart,
  systemClock,
  systemRandom,
} from '../base/index.ts';
import { loadCluster } from '../cluster/index.ts';
import { ConfigError } from '../model/index.ts';
import type { ParsedNodeFlags } from './flags.ts';
import { TorchringNode } from './node.ts';
import { loadPasswordThread } from './password_check.ts';
import { restartIfCompiled } from './restart.ts';

/** The exit code of a start that the user's input prevented. */
const exitBadInput = 2;

/** Resolves with the exit code once the node has stopped. */
export async function runNode(flags: ParsedNodeFlags): Promise<number> {
  const loadRest = [loadWorker, loadCluster, ...(flags.webConfigFile === '' ? [] : [loadPasswordThread])];
  await restartIfCompiled(() => Promise.all(loadRest.map((load) => load())));
  const log = createLogger({ level: flags.logLevel, format: flags.logFormat });
  for (const text of flags.notYetEffective) log.warn({}, text);
  const hangUps = reloadOnHangUp();
  let node: TorchringNode;
  try {
    node = await TorchringNode.start(flags, { clock: systemClock, random: systemRandom(), log });
  } catch (error) {
    log.error({ err: errorText(error) }, 'the node could not start');
    process.stderr.write(`torchring: ${errorText(error)}\n`);
    return error instanceof ConfigError || error instanceof CodedError ? exitBadInput : 1;
  }
  forgetStart();
  hangUps.start(node);
  const reason = await new Promise<string>((resolve) => {
    // Not once: on a terminal Ctrl-C comes to the whole group, and once more by way of the launcher.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(signal));
    node.onQuit(() => resolve('a request to quit'));
  });
  log.info({ reason }, 'stopping');
  await node.stop();
  log.info({}, 'see you next time');
  return 0;
}

/** From the beginning, as an unheard signal ends the process. One that comes during the start is heeded at its end. */
function reloadOnHangUp(): { start(node: TorchringNode): void } {
  let isAsked = false;
  let reload = (): void => {
    isAsked = true;
  };
  process.on('SIGHUP', () => reload());
  return {
    start(node) {
      // The reason of a failure is in the log; the old configuration goes on.
      reload = () => void node.reload().catch(() => undefined);
      if (isAsked) reload();
    },
  };
}
