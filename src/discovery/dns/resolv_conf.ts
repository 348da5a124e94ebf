/** /etc/resolv.conf (resolv.conf(5)): which servers are asked, and under which full names a short name may be found. */

export interface ResolverConfig {
  readonly servers: readonly string[];
  /** Tried as ends of names that have few dots. */
  readonly search: readonly string[];
  /** A name with as many dots is tried as it is before the search list. */
  readonly dotsMin: number;
}

/** Servers and search domains beyond this are not used. */
const entriesMax = 32;
const dotsMax = 15;

export function parseResolvConf(text: string): ResolverConfig {
  const servers: string[] = [];
  let search: string[] = [];
  let dotsMin = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    const [first] = words;
    if (first === undefined) continue;
    switch (keyword) {
      case 'nameserver':
        servers.push(first);
        break;
      case 'domain':
        search = [first];
        break;
      case 'search':
        search = words;
        break;
      case 'options':
        for (const word of words) {
          const digits = /^ndots:([0-9]+)/.exec(word)?.[1];
          if (digits !== undefined) dotsMin = Math.min(dotsMax, Number(digits));
        }
        break;
      default:
    }
  }
  return { servers: servers.slice(0, entriesMax), search: search.slice(0, entriesMax), dotsMin };
}

/** The full names to try, in this order, each with a dot at the end. */
export function candidateNames(name: string, { search, dotsMin }: ResolverConfig): string[] {
  if (name.endsWith('.')) return [name];
  const asItIs = `${name}.`;
  const found = search.map((domain) => rooted(asItIs + domain));
  return name.split('.').length > dotsMin ? [asItIs, ...found] : [...found, asItIs];
}

const rooted = (name: string): string => (name.endsWith('.') ? name : `${name}.`);
