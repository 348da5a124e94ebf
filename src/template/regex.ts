/**
 * Unanchored RE2 matching and replacing for `match` and `reReplaceAll`. Runs in linear time (re2js); its cost
 * is charged to the template's budget, since a template may call it in a loop.
 */
import { RE2JS } from 're2js';
import { errorText } from '../base/index.ts';
import { TemplateValueError } from './errors.ts';
import { BoundedText } from './format.ts';
import type { CallContext } from './value.ts';

/** Longest pattern accepted from a template. */
const patternLengthMax = 4096;
/** Characters of text, and of pattern, that cost one step. */
const textPerStep = 32;
const patternPerStep = 4;

function compile(pattern: string, context: CallContext): RE2JS {
  if (pattern.length > patternLengthMax) {
    throw new TemplateValueError(`regular expression is longer than ${patternLengthMax} characters`);
  }
  context.charge(5 + pattern.length / patternPerStep);
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    throw new TemplateValueError(`error parsing regexp: ${errorText(cause)}`, { cause });
  }
}

/** A linear matcher still visits every state for every character. */
function chargeScan(pattern: string, text: string, context: CallContext): void {
  context.charge((text.length / textPerStep) * (1 + pattern.length / textPerStep));
}

export function regexMatch(pattern: string, text: string, context: CallContext): boolean {
  const compiled = compile(pattern, context);
  chargeScan(pattern, text, context);
  return compiled.matcher(text).find();
}

/** `$$`, `${name}`, `$name` with the longest run of word characters. */
const reference = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/** Go's Regexp.ReplaceAllString. */
export function regexReplaceAll(
  pattern: string,
  replacement: string,
  text: string,
  context: CallContext,
): string {
  const compiled = compile(pattern, context);
  chargeScan(pattern, text, context);
  const names = compiled.namedGroups();
  const out = new BoundedText(context.textLengthMax);
  const matcher = compiled.matcher(text);
  let at = 0;
  while (matcher.find()) {
    context.charge(1);
    out.add(text.slice(at, matcher.start()));
    out.add(
      replacement.replace(reference, (_, dollar, braced, bare) => {
        if (dollar !== undefined) return '$';
        const name = String(braced ?? bare);
        const index = /^[0-9]+$/.test(name) ? Number(name) : (names[name] ?? -1);
        return index >= 0 && index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '';
      }),
    );
    at = matcher.end();
  }
  out.add(text.slice(at));
  return out.toString();
}
