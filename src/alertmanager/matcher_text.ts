// Matchers as text, `{foo="bar", baz=~"a|b"}`, in configuration files, silences and API filters. Alertmanager
// has two grammars, a classic one and one for UTF-8 names, and takes a text that either accepts; where they
// disagree the classic reading counts. (alertmanager matcher/parse and pkg/labels)
import { AnchoredRegex, compareBytes, unescapeGo } from '../model/index.ts';
import type { MatcherConfig } from './config_types.ts';

/** Longer texts are refused. */
const matcherTextMax = 64 * 1024;

class MatcherSyntaxError extends Error {}

/**
 * Matchers of a text, with or without braces, in its order. An empty text gives none. Throws an Error that
 * says what is wrong.
 */
export function parseMatchers(text: string): readonly MatcherConfig[] {
  if (text.length > matcherTextMax) throw new MatcherSyntaxError(`matcher longer than ${matcherTextMax}`);
  const modern = attempt(() => parseModern(text));
  const classic = attempt(() => parseClassic(text));
  if (classic.error === undefined) return classic.matchers;
  if (modern.error === undefined) return modern.matchers;
  throw classic.error;
}

/** Alertmanager's order: by name, then value, then kind. */
export function sortMatchers(matchers: readonly MatcherConfig[]): readonly MatcherConfig[] {
  const kinds: readonly MatcherConfig['type'][] = ['=', '!=', '=~', '!~'];
  return matchers.toSorted(
    (a, b) =>
      compareBytes(a.name, b.name) ||
      compareBytes(a.value, b.value) ||
      kinds.indexOf(a.type) - kinds.indexOf(b.type),
  );
}

type Attempt =
  | { readonly error: undefined; readonly matchers: readonly MatcherConfig[] }
  | { readonly error: Error; readonly matchers?: undefined };

function attempt(parse: () => readonly MatcherConfig[]): Attempt {
  try {
    return { error: undefined, matchers: parse() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error };
  }
}

/** Throws BadRegexError when the value is a pattern that does not compile. */
function matcher(name: string, type: string, value: string): MatcherConfig {
  if (type !== '=' && type !== '!=' && type !== '=~' && type !== '!~') {
    throw new MatcherSyntaxError(`bad operator ${type}`);
  }
  if (type === '=~' || type === '!~') AnchoredRegex.compile(value);
  return { name, type, value };
}

interface Token {
  readonly kind: 'open' | 'close' | 'comma' | 'operator' | 'quoted' | 'unquoted';
  readonly text: string;
}

const modernToken =
  /\s*(?:(?<open>\{)|(?<close>\})|(?<comma>,)|(?<operator>=~|!~|!=|=)|(?<quoted>"(?:[^"\\]|\\[\s\S])*")|(?<unquoted>[^\s{}!=~,\\"'`]+))/uy;

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  modernToken.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    modernToken.lastIndex = at;
    const match = modernToken.exec(text);
    const groups = match?.groups;
    const kind = Object.keys(groups ?? {}).find((name) => groups?.[name] !== undefined);
    if (groups === undefined || kind === undefined) {
      throw new MatcherSyntaxError(`${at}: ${text.slice(at, at + 20)}: invalid input`);
    }
    found.push({ kind: kind as Token['kind'], text: groups[kind] ?? '' });
    at = modernToken.lastIndex;
  }
  return found;
}

/** The grammar with quoted names: `{ name op value, ... }`, braces optional, a last comma allowed. */
function parseModern(text: string): readonly MatcherConfig[] {
  const all = tokens(text);
  const braced = all[0]?.kind === 'open';
  let at = braced ? 1 : 0;
  const matchers: MatcherConfig[] = [];
  const next = (...kinds: readonly Token['kind'][]): Token => {
    const token = all[at];
    if (token === undefined) throw new MatcherSyntaxError(`end of input: expected ${kinds.join(' or ')}`);
    if (!kinds.includes(token.kind)) {
      throw new MatcherSyntaxError(`unexpected ${token.text}: expected ${kinds.join(' or ')}`);
    }
    at++;
    return token;
  };
  while (at < all.length && all[at]?.kind !== 'close') {
    const name = unquote(next('quoted', 'unquoted'));
    const type = next('operator').text;
    matchers.push(matcher(name, type, unquote(next('quoted', 'unquoted'))));
    if (at < all.length && all[at]?.kind !== 'close') next('comma');
  }
  if (braced) next('close');
  const rest = all[at];
  if (rest !== undefined) throw new MatcherSyntaxError(`unexpected ${rest.text}: expected end of input`);
  return matchers;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Go's strconv.Unquote of a double-quoted text. */
function unquote(token: Token): string {
  if (token.kind !== 'quoted') return token.text;
  const body = token.text.slice(1, -1);
  const bytes = body.includes('\n') ? undefined : unescapeGo(body, '"');
  if (bytes === undefined) throw new MatcherSyntaxError(`${token.text}: invalid input`);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new MatcherSyntaxError(`${token.text}: invalid input`, { cause });
  }
}

/** The older grammar: names are classic, values may do without quotes. */
function parseClassic(text: string): readonly MatcherConfig[] {
  const body = text.replace(/^\{/, '').replace(/\}$/, '');
  return splitOutsideQuotes(body).map(parseClassicMatcher);
}

function splitOutsideQuotes(text: string): readonly string[] {
  const parts: string[] = [];
  let part = '';
  let insideQuotes = false;
  let escaped = false;
  for (const char of text) {
    if (char === ',' && !insideQuotes) {
      parts.push(part);
      part = '';
      continue;
    }
    if (char === '"' && !escaped) insideQuotes = !insideQuotes;
    escaped = char === '\\' ? !escaped : false;
    part += char;
  }
  if (part.trim() !== '') parts.push(part.trim());
  return parts;
}

const classicMatcher = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*)$/s;
const blank = /\s/;

/** Not by a pattern: one that ends in a run of blanks tries every run that comes before. */
function withoutTrailingBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && blank.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

function parseClassicMatcher(text: string): MatcherConfig {
  const found = classicMatcher.exec(text);
  if (found === null) throw new MatcherSyntaxError(`bad matcher format: ${text}`);
  const [, name = '', type = '', raw = ''] = found;
  return matcher(name, type, classicValue(withoutTrailingBlanks(raw)));
}

function classicValue(raw: string): string {
  const quoted = raw.startsWith('"');
  const body = quoted ? raw.slice(1) : raw;
  if (!body.isWellFormed()) throw new MatcherSyntaxError(`matcher value not valid UTF-8: ${raw}`);
  const unescapedQuote = new MatcherSyntaxError(`matcher value contains unescaped double quote: ${raw}`);
  let value = '';
  let closed = !quoted;
  for (let i = 0; i < body.length; i++) {
    const char = body.charAt(i);
    if (char === '\\' && i < body.length - 1) {
      i++;
      const next = body.charAt(i);
      if (next === 'n') value += '\n';
      else value += next === '"' || next === '\\' ? next : `\\${next}`;
    } else if (char === '"') {
      if (closed || i < body.length - 1) throw unescapedQuote;
      closed = true;
    } else value += char;
  }
  if (!closed) throw unescapedQuote;
  return value;
}
