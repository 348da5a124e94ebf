/**
 * The functions of Prometheus' template reference, for alerting rules. `query` runs at the rule's evaluation
 * time through an injected function; queries per template are bounded.
 */
import { compareBytes, parseDuration } from '../model/index.ts';
import { escapeQuery } from './builtins.ts';
import { commonFunctions, textToText } from './common_functions.ts';
import type { TemplateFunctions } from './compile.ts';
import { TemplateValueError } from './errors.ts';
import {
  floatToTime,
  humanize,
  humanize1024,
  humanizePercentage,
  humanizeTimestamp,
  toFloat,
} from './humanize.ts';
import { TemplateDuration } from './time.ts';
import {
  listArg,
  stringArg,
  type TemplateFunction,
  TemplateList,
  TemplateMap,
  TemplateStruct,
  type TemplateValue,
  templateFunction,
} from './value.ts';

/** A vector element as templates see it. */
export interface TemplateSample {
  readonly labels: Iterable<readonly [string, string]>;
  readonly value: number;
}

export interface PrometheusTemplateDeps {
  readonly externalUrl: string;
  /** The evaluation time, milliseconds. */
  readonly timeMs: number;
  readonly query: (expr: string, signal: AbortSignal | undefined) => Promise<readonly TemplateSample[]>;
}

/** What one query costs of a template's step budget, which bounds their number. */
const queryCost = 500;

const sampleType = '*template.sample';

function sampleValue(sample: TemplateSample): TemplateStruct {
  return new TemplateStruct(sampleType, {
    Labels: TemplateMap.ofStrings(sample.labels),
    Value: sample.value,
  });
}

function sampleArg(args: readonly TemplateValue[], index: number): TemplateStruct {
  const value = args[index] ?? null;
  if (value instanceof TemplateStruct && value.typeName === sampleType) return value;
  throw new TemplateValueError('wrong type for value; expected a sample of a query');
}

function sampleLabel(sample: TemplateValue, name: string): string {
  const labels = sample instanceof TemplateStruct ? sample.fields.get('Labels') : undefined;
  return labels instanceof TemplateMap ? String(labels.get(name)) : '';
}

/** Words start with a capital; the rest is kept (Unicode title case without lowering). */
function title(text: string): string {
  return text.replace(
    /(^|[^\p{L}\p{M}\p{N}'’_])(\p{Ll})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}

/** net.SplitHostPort: undefined when there is no port or the form is wrong. */
function splitHostPort(text: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text);
  return match === null ? undefined : { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
}

function isIpAddress(host: string): boolean {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  if (octets !== null) return octets.slice(1).every((octet) => Number(octet) <= 255);
  return host.includes(':') && /^[0-9a-fA-F:.]+$/.test(host);
}

function stripDomain(text: string): string {
  const split = splitHostPort(text);
  const host = split?.host ?? text;
  if (isIpAddress(host)) return text;
  const first = host.split('.')[0] ?? '';
  return split !== undefined && split.port !== '' ? `${first}:${split.port}` : first;
}

function parseSignedSeconds(text: string): number {
  const negative = text.startsWith('-');
  const durationMs = parseDuration(negative ? text.slice(1) : text);
  return (negative ? -durationMs : durationMs) / 1000;
}

function graphLink(expr: string, tab: 0 | 1): string {
  return `/graph?g0.expr=${escapeQuery(expr)}&g0.tab=${tab}`;
}

function urlPath(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '';
}

const oneNumber = (show: (value: number) => string): TemplateFunction =>
  templateFunction(1, 1, (args) => show(toFloat(args[0] ?? null)));

function vectorFunctions(): Record<string, TemplateFunction> {
  return {
    first: templateFunction(1, 1, (args) => {
      const head = listArg(args, 0).items[0];
      if (head === undefined) throw new TemplateValueError('first() called on vector with no elements');
      return head;
    }),
    label: templateFunction(2, 2, (args) => sampleLabel(sampleArg(args, 1), stringArg(args, 0))),
    value: templateFunction(1, 1, (args) => sampleArg(args, 0).fields.get('Value') ?? null),
    strvalue: templateFunction(1, 1, (args) => sampleLabel(sampleArg(args, 0), '__value__')),
    sortByLabel: templateFunction(2, 2, (args, context) => {
      const name = stringArg(args, 0);
      const list = listArg(args, 1);
      context.charge(list.items.length);
      const sorted = list.items.toSorted((a, b) => compareBytes(sampleLabel(a, name), sampleLabel(b, name)));
      return new TemplateList(sorted, { typeName: list.typeName });
    }),
  };
}

function timeFunctions(deps: PrometheusTemplateDeps): Record<string, TemplateFunction> {
  return {
    toTime: templateFunction(1, 1, (args) => {
      const time = floatToTime(toFloat(args[0] ?? null));
      if (time === undefined) throw new TemplateValueError('value is NaN or Inf');
      return time;
    }),
    toDuration: templateFunction(1, 1, (args) => {
      const seconds = toFloat(args[0] ?? null);
      if (!Number.isFinite(seconds)) throw new TemplateValueError('value is NaN or Inf');
      return TemplateDuration.ofSeconds(seconds);
    }),
    now: templateFunction(0, 0, () => deps.timeMs / 1000),
    parseDuration: templateFunction(1, 1, (args) => parseSignedSeconds(stringArg(args, 0))),
  };
}

/** The function table of one evaluation. */
export function prometheusFunctions(deps: PrometheusTemplateDeps): TemplateFunctions {
  return {
    ...commonFunctions,
    ...vectorFunctions(),
    ...timeFunctions(deps),
    query: templateFunction(1, 1, async (args, context) => {
      context.charge(queryCost);
      const samples = await deps.query(stringArg(args, 0), context.signal);
      context.charge(samples.length);
      return new TemplateList(samples.map(sampleValue), { typeName: 'template.queryResult' });
    }),
    args: templateFunction(
      0,
      Number.POSITIVE_INFINITY,
      (args) => new TemplateMap(new Map(args.map((arg, i) => [`arg${i}`, arg]))),
    ),
    title: textToText(title),
    graphLink: textToText((expr) => graphLink(expr, 0)),
    tableLink: textToText((expr) => graphLink(expr, 1)),
    stripPort: textToText((text) => splitHostPort(text)?.host ?? text),
    stripDomain: textToText(stripDomain),
    humanize: oneNumber(humanize),
    humanize1024: oneNumber(humanize1024),
    humanizePercentage: oneNumber(humanizePercentage),
    humanizeTimestamp: oneNumber(humanizeTimestamp),
    pathPrefix: templateFunction(0, 0, () => urlPath(deps.externalUrl)),
    externalURL: templateFunction(0, 0, () => deps.externalUrl),
    urlQueryEscape: textToText(escapeQuery),
  };
}

/** The same names without surroundings, for checking templates. */
export const prometheusFunctionsForCheck: TemplateFunctions = prometheusFunctions({
  externalUrl: '',
  timeMs: 0,
  query: () => Promise.resolve([]),
});
