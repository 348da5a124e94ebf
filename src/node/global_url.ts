/**
 * The URL of a target as others may reach it: "localhost" is a good name of a target only for the one who scrapes it. What
 * Prometheus' web/api/v1 does, for each node that scrapes.
 */

const localHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface ScrapingNode {
  /** Where others reach the node's API. */
  readonly externalUrl: string;
  /** Its listener. */
  readonly port: string;
}

/** `url` when it is not of the node itself, or has no port. */
export function globalUrl(url: string, { externalUrl, port }: ScrapingNode): string {
  const [, host = '', targetPort = ''] = /^https?:\/\/(\[[^\]]*\]|[^/:]*):(\d+)/.exec(url) ?? [];
  if (!localHosts.has(host) || !URL.canParse(externalUrl)) return url;
  const external = new URL(externalUrl);
  const rest = url.slice(url.indexOf('//') + 2 + host.length + 1 + targetPort.length);
  // One that is the node itself is reached as the node is.
  if (targetPort === port) return `${external.protocol}//${external.host}${rest}`;
  return `${url.slice(0, url.indexOf('//'))}//${external.hostname}:${targetPort}${rest}`;
}
