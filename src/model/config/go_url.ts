// Go's url.Parse as far as configuration needs it: whether a text is a URL there, and its scheme, host and
// path. The platform's own URL class is no help: it wants a scheme, mends what Go refuses and refuses what Go
// takes.
import { quoteGo } from '../quote.ts';

export interface GoUrl {
  readonly scheme: string;
  /** host or host:port, without user information. */
  readonly host: string;
  readonly path: string;
}

class UrlError extends Error {
  constructor(text: string, reason: string) {
    super(`parse ${quoteGo(text)}: ${reason}`);
  }
}

/** Throws an Error with the reason when Go would not parse the text. */
export function parseGoUrl(text: string): GoUrl {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw new UrlError(text, 'net/url: invalid control character in URL');
  const withoutFragment = cut(text, '#').before;
  const { scheme, rest } = splitScheme(text, withoutFragment);
  let remaining = rest;
  if (!(remaining.endsWith('?') && remaining.indexOf('?') === remaining.length - 1)) {
    remaining = cut(remaining, '?').before;
  } else remaining = remaining.slice(0, -1);
  if (!remaining.startsWith('/')) {
    if (scheme !== '') return { scheme, host: '', path: '' };
    const segment = cut(remaining, '/').before;
    if (segment.includes(':')) {
      throw new UrlError(text, 'first path segment in URL cannot contain colon');
    }
  }
  let host = '';
  if (remaining.startsWith('//') && (scheme !== '' || !remaining.startsWith('///'))) {
    const slash = remaining.indexOf('/', 2);
    const authority = slash < 0 ? remaining.slice(2) : remaining.slice(2, slash);
    remaining = slash < 0 ? '' : remaining.slice(slash);
    host = parseAuthority(text, authority);
  }
  checkEscapes(text, remaining);
  return { scheme, host, path: remaining };
}

function cut(text: string, separator: string): { before: string; after: string } {
  const at = text.indexOf(separator);
  return at < 0 ? { before: text, after: '' } : { before: text.slice(0, at), after: text.slice(at + 1) };
}

function splitScheme(whole: string, text: string): { scheme: string; rest: string } {
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (/[a-zA-Z]/.test(char)) continue;
    if (/[0-9+\-.]/.test(char)) {
      if (i === 0) return { scheme: '', rest: text };
      continue;
    }
    if (char === ':') {
      if (i === 0) throw new UrlError(whole, 'missing protocol scheme');
      return { scheme: text.slice(0, i).toLowerCase(), rest: text.slice(i + 1) };
    }
    return { scheme: '', rest: text };
  }
  return { scheme: '', rest: text };
}

function parseAuthority(whole: string, authority: string): string {
  const at = authority.lastIndexOf('@');
  const user = at < 0 ? '' : authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) throw new UrlError(whole, 'net/url: invalid userinfo');
  checkEscapes(whole, user);
  const host = authority.slice(at + 1);
  checkHost(whole, host);
  return host;
}

function checkHost(whole: string, host: string): void {
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    if (end < 0) throw new UrlError(whole, "missing ']' in host");
    checkPort(whole, host.slice(end + 1));
    return;
  }
  const colon = host.lastIndexOf(':');
  if (colon >= 0) checkPort(whole, host.slice(colon));
  const badEscape = /%(?![0-9a-fA-F]{2})/.exec(host);
  if (badEscape !== null)
    throw new UrlError(
      whole,
      `invalid URL escape ${quoteGo(host.slice(badEscape.index, badEscape.index + 3))}`,
    );
  const bad = /[ "\\^`{|}#?/]/.exec(host);
  if (bad !== null) throw new UrlError(whole, `invalid character ${quoteGo(bad[0])} in host name`);
}

function checkPort(whole: string, port: string): void {
  if (port !== '' && !/^:[0-9]*$/.test(port))
    throw new UrlError(whole, `invalid port ${quoteGo(port)} after host`);
}

function checkEscapes(whole: string, part: string): void {
  const bad = /%(?![0-9a-fA-F]{2})/.exec(part);
  if (bad !== null) {
    throw new UrlError(whole, `invalid URL escape ${quoteGo(part.slice(bad.index, bad.index + 3))}`);
  }
}
