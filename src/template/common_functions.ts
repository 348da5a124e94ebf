/** Functions that Prometheus' and Alertmanager's templates share. */
import { TemplateValueError } from './errors.ts';
import { humanizeDuration, toFloat } from './humanize.ts';
import { regexMatch, regexReplaceAll } from './regex.ts';
import { type CallContext, stringArg, type TemplateFunction, templateFunction } from './value.ts';

/** A function of one text. */
export function textToText(transform: (text: string, context: CallContext) => string): TemplateFunction {
  return templateFunction(1, 1, (args, context) => {
    const text = stringArg(args, 0);
    context.charge(1 + text.length / 64);
    return transform(text, context);
  });
}

export const commonFunctions: Readonly<Record<string, TemplateFunction>> = {
  toUpper: textToText((text) => text.toUpperCase()),
  toLower: textToText((text) => text.toLowerCase()),
  // Output is text, never HTML that a browser gets from us: nothing to mark.
  safeHtml: textToText((text) => text),
  match: templateFunction(2, 2, (args, context) =>
    regexMatch(stringArg(args, 0), stringArg(args, 1), context),
  ),
  reReplaceAll: templateFunction(3, 3, (args, context) =>
    regexReplaceAll(stringArg(args, 0), stringArg(args, 1), stringArg(args, 2), context),
  ),
  humanizeDuration: templateFunction(1, 1, (args) => humanizeDuration(toFloat(args[0] ?? null))),
};

/** Wraps what a native function throws. */
export function guarded<T>(run: () => T, reason: string): T {
  try {
    return run();
  } catch (cause) {
    throw new TemplateValueError(reason, { cause });
  }
}
