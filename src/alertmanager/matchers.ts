/** Configured matchers made executable, and their canonical text, which is part of group keys. */
import { compareBytes, type Labels, Matcher, quoteGo } from '../model/index.ts';
import type { MatcherConfig } from './config.ts';

export function compileMatchers(configs: readonly MatcherConfig[]): Matcher[] {
  return configs.map(({ type, name, value }) => Matcher.create(type, name, value));
}

/** Characters that make Alertmanager quote a label's name. */
const reservedName = /[\s{}!=~,\\"'`]/u;

function matcherText(matcher: Matcher): string {
  if (reservedName.test(matcher.name)) return quoteGo(matcher.name) + matcher.type + quoteGo(matcher.value);
  const value = matcher.value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
  return `${matcher.name}${matcher.type}"${value}"`;
}

/** `{a="b",c=~"d"}`. */
export function matchersText(matchers: readonly Matcher[]): string {
  return `{${matchers.map(matcherText).join(',')}}`;
}

/** `{a="b", c="d"}`, sorted by name. */
export function labelSetText(labels: Labels): string {
  const pairs = [...labels].sort((a, b) => compareBytes(a[0], b[0]));
  return `{${pairs.map(([name, value]) => `${name}=${quoteGo(value)}`).join(', ')}}`;
}
