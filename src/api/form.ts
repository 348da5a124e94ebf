/**
 * Query strings and form bodies as Go's net/url reads them, which clients of Prometheus have come to rely on: a pair with
 * a bad percent escape or a bare semicolon is left out and the others count; some routes report the first bad pair instead.
 */
import { quoteGo } from '../model/index.ts';
import { ApiError } from './errors.ts';

/** Beyond it, reading them would hold up everything else on this thread. */
const pairsMax = 200_000;

const badEscape = /%(?![0-9a-fA-F]{2}).{0,2}/su;

export interface Form {
  readonly values: URLSearchParams;
  /** Why the first bad pair was left out. */
  readonly fault?: string;
}

function faultOf(pair: string): string | undefined {
  if (pair.includes(';')) return 'invalid semicolon separator in query';
  const found = badEscape.exec(pair);
  return found === null ? undefined : `invalid URL escape ${quoteGo(found[0])}`;
}

/** Bytes that are not UTF-8 become U+FFFD. Throws ApiError when there are too many pairs, and nothing else. */
export function parseForm(text: string): Form {
  const good: string[] = [];
  let fault: string | undefined;
  const pairs = text.split('&', pairsMax + 1);
  if (pairs.length > pairsMax) throw new ApiError('bad_data', `more than ${pairsMax} parameters`);
  for (const pair of pairs) {
    const pairFault = faultOf(pair);
    if (pairFault === undefined) good.push(pair);
    else fault ??= pairFault;
  }
  // The leading & keeps a question mark that belongs to the first name.
  const values = new URLSearchParams(`&${good.join('&')}`);
  return fault === undefined ? { values } : { values, fault };
}
