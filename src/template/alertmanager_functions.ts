/** The functions of Alertmanager's notification templates. */
import { commonFunctions, guarded, textToText } from './common_functions.ts';
import type { TemplateFunctions } from './compile.ts';
import { TemplateValueError } from './errors.ts';
import { BoundedText, formatValue } from './format.ts';
import { toJson } from './json.ts';
import { TemplateDuration, TemplateTime, zeroTimeMs } from './time.ts';
import { parseTimeLayout } from './time_parse.ts';
import {
  listArg,
  stringArg,
  type TemplateFunction,
  TemplateList,
  TemplateMap,
  type TemplateValue,
  templateFunction,
} from './value.ts';

const many = Number.POSITIVE_INFINITY;
/** Longest list that `append` makes. */
const listLengthMax = 10_000;

function timeArg(args: readonly TemplateValue[], index: number): TemplateTime {
  const value = args[index] ?? null;
  if (value instanceof TemplateTime) return value;
  throw new TemplateValueError('wrong type for value; expected time.Time');
}

/** Capital first letters, everything else lowered. */
function title(text: string): string {
  return text
    .toLowerCase()
    .replace(
      /(^|[^\p{L}\p{M}\p{N}'’_])(\p{Ll})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    );
}

/** A Go `[]string` that templates can join. */
export function stringList(items: readonly string[]): TemplateList {
  return new TemplateList(items, {
    typeName: '[]string',
    methods: {
      Join: templateFunction(1, 1, (args, context) =>
        joinTexts(items, stringArg(args, 0), context.textLengthMax),
      ),
    },
  });
}

function joinTexts(items: readonly TemplateValue[], separator: string, lengthMax: number): string {
  const out = new BoundedText(lengthMax);
  for (const [i, item] of items.entries()) {
    if (i > 0) out.add(separator);
    out.add(formatValue(item, lengthMax));
  }
  return out.toString();
}

function collectionFunctions(): Record<string, TemplateFunction> {
  return {
    join: templateFunction(2, 2, (args, context) => {
      const list = listArg(args, 1);
      context.charge(list.items.length);
      return joinTexts(list.items, stringArg(args, 0), context.textLengthMax);
    }),
    stringSlice: templateFunction(0, many, (args) => stringList(args.map((_, i) => stringArg(args, i)))),
    list: templateFunction(0, many, (args) => new TemplateList(args)),
    append: templateFunction(1, many, (args, context) => {
      const items = [...listArg(args, 0).items, ...args.slice(1)];
      context.charge(items.length / 16);
      if (items.length > listLengthMax)
        throw new TemplateValueError(`list exceeds ${listLengthMax} elements`);
      return new TemplateList(items);
    }),
    dict: templateFunction(0, many, (args) => {
      if (args.length % 2 !== 0) throw new TemplateValueError('dict requires an even number of arguments');
      const entries = new Map<string, TemplateValue>();
      for (let i = 0; i < args.length; i += 2) {
        const key = args[i];
        if (typeof key !== 'string') throw new TemplateValueError('dict keys must be strings');
        entries.set(key, args[i + 1] ?? null);
      }
      return new TemplateMap(entries);
    }),
    toJson: templateFunction(1, 1, (args, context) => {
      const text = toJson(args[0] ?? null, context.textLengthMax);
      context.charge(text.length / 64);
      return text;
    }),
  };
}

function timeFunctions(nowMs: () => number): Record<string, TemplateFunction> {
  return {
    date: templateFunction(2, 2, (args) => timeArg(args, 1).format(stringArg(args, 0))),
    tz: templateFunction(2, 2, (args) => timeArg(args, 1).inZone(stringArg(args, 0))),
    now: templateFunction(0, 0, () => new TemplateTime(nowMs())),
    since: templateFunction(1, 1, (args) =>
      TemplateDuration.ofSeconds((nowMs() - timeArg(args, 0).epochMs) / 1000),
    ),
    toDate: templateFunction(
      2,
      2,
      (args) => parseTimeLayout(stringArg(args, 0), stringArg(args, 1)) ?? new TemplateTime(zeroTimeMs),
    ),
    mustToDate: templateFunction(2, 2, (args) => {
      const time = parseTimeLayout(stringArg(args, 0), stringArg(args, 1));
      if (time !== undefined) return time;
      throw new TemplateValueError(
        `parsing time ${JSON.stringify(args[1])} as ${JSON.stringify(args[0])}: cannot parse`,
      );
    }),
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The function table; `nowMs` gives `now` and `since` their time. */
export function alertmanagerFunctions(nowMs: () => number): TemplateFunctions {
  return {
    ...commonFunctions,
    ...collectionFunctions(),
    ...timeFunctions(nowMs),
    title: textToText(title),
    trimSpace: textToText((text) => text.trim()),
    safeUrl: textToText((text) => text),
    urlUnescape: textToText((text) =>
      guarded(
        () => decodeURIComponent(text.replaceAll('+', ' ')),
        `invalid URL escape in ${JSON.stringify(text)}`,
      ),
    ),
    // Route labels are a later feature of routes; without any, Alertmanager's function gives an empty text.
    routeLabels: textToText(() => ''),
    base64encode: textToText((text) =>
      Buffer.from(encoder.encode(text)).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
    ),
    base64decode: textToText((text) => {
      if (!/^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/.test(text)) {
        throw new TemplateValueError('illegal base64 data');
      }
      return decoder.decode(Buffer.from(text, 'base64url'));
    }),
  };
}
