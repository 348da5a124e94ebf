/**
 * A name looked up under every full name that it may stand for, at every server, with an answer that can be trusted: a
 * name is only said not to exist when a server said so of all of its full names. A server that fails says nothing about
 * the name, and then what was known before must stay.
 */
import { errorText, type Logger } from '../../base/index.ts';
import { DnsError } from '../errors.ts';
import { askServer, type DnsAnswer, type ExchangeDeps } from './exchange.ts';
import { type DnsRecord, type RecordType, responseCodes } from './message.ts';
import { candidateNames, type ResolverConfig } from './resolv_conf.ts';

export interface LookupDeps extends ExchangeDeps {
  readonly log: Logger;
  readonly port: number;
}

/** The records found, none when the name has none or does not exist. Rejects with DnsError when that is not known. */
export async function lookUp(
  name: string,
  type: RecordType,
  config: ResolverConfig,
  deps: LookupDeps,
): Promise<readonly DnsRecord[]> {
  let isSure = true;
  for (const candidate of candidateNames(name, config)) {
    deps.signal.throwIfAborted();
    const answer = await askAnyServer(candidate, type, config, deps);
    if (answer?.code === responseCodes.success) return answer.records;
    if (answer === undefined) isSure = false;
  }
  if (isSure) return [];
  throw new DnsError(
    `could not resolve ${JSON.stringify(name)}: all servers responded with errors to at least one search domain`,
  );
}

/** The first answer that says something about the name: that it exists, or that it does not. */
async function askAnyServer(
  name: string,
  type: RecordType,
  { servers }: ResolverConfig,
  deps: LookupDeps,
): Promise<DnsAnswer | undefined> {
  for (const host of servers) {
    try {
      const answer = await askServer({ host, port: deps.port }, name, type, deps);
      if (answer.code === responseCodes.success || answer.code === responseCodes.nameError) return answer;
    } catch (error) {
      deps.log.warn({ server: host, name, err: errorText(error) }, 'DNS resolution failed');
    }
  }
  return undefined;
}
