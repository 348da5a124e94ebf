/**
 * promqltest scripts: line based, `load`, `clear` and `eval` commands with their expectations.
 */
import { parseDuration, parseFloatText } from '../../src/model/index.ts';
import {
  type Point,
  parseDurations,
  parseMetric,
  parsePoints,
  parseSeriesLine,
  ScriptError,
  type SeriesLine,
} from './series_line.ts';

export interface TextMatch {
  readonly kind: 'any' | 'exact' | 'regex';
  readonly text: string;
}

export interface Expectations {
  fail: TextMatch[];
  warn: TextMatch[];
  info: TextMatch[];
  noWarn: boolean;
  noInfo: boolean;
  ordered: boolean;
  string: string | undefined;
  /** `expect range vector from A to B step S`. */
  rangeVector: { startMs: number; endMs: number; stepMs: number } | undefined;
}

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly query: string;
  readonly instant: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly expect: Expectations;
  readonly series: SeriesLine[];
  scalar: Point | undefined;
}

export interface LoadCommand {
  readonly kind: 'load';
  readonly line: number;
  readonly stepMs: number;
  readonly customBuckets: boolean;
  readonly series: SeriesLine[];
  /** Of the series that the next line describes: how far from its time each sample starts, NaN where unknown. */
  startOffsets: readonly number[] | undefined;
}

export type Command = EvalCommand | LoadCommand | { readonly kind: 'clear'; readonly line: number };

const evalPattern =
  /^eval(_fail|_warn|_info|_ordered)?\s+(?:instant\s+at\s+(\S+)|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+?))\s+(.+)$/;

/** Throws ScriptError with the line at fault. */
export function parseScript(text: string): Command[] {
  const commands: Command[] = [];
  let current: EvalCommand | LoadCommand | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const at = index + 1;
    if (line === '') current = undefined;
    else if (!line.startsWith('#')) current = parseLine(line, at, current, commands);
  }
  return commands;
}

function parseLine(
  line: string,
  at: number,
  current: EvalCommand | LoadCommand | undefined,
  commands: Command[],
): EvalCommand | LoadCommand | undefined {
  try {
    const started = parseCommand(line, at);
    if (started !== undefined) {
      commands.push(started);
      return started.kind === 'clear' ? undefined : started;
    }
    if (current === undefined) throw new ScriptError(`no command takes "${line}"`);
    if (current.kind === 'load') addLoad(current, line);
    else addExpectation(current, line);
    return current;
  } catch (error) {
    throw new ScriptError(`line ${at}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseCommand(line: string, at: number): Command | undefined {
  if (line === 'clear') return { kind: 'clear', line: at };
  const load = /^load(_with_nhcb)?\s+(\S+)$/.exec(line);
  if (load !== null) {
    const stepMs = parseDuration(load[2] ?? '');
    const customBuckets = load[1] !== undefined;
    return { kind: 'load', line: at, stepMs, customBuckets, series: [], startOffsets: undefined };
  }
  if (!/^eval(_|\s)/.test(line)) return undefined;
  const match = evalPattern.exec(line);
  if (match === null) throw new ScriptError(`bad eval: ${line}`);
  const [, variant, instantAt, from, to, step, query = ''] = match;
  const any: TextMatch = { kind: 'any', text: '' };
  const startMs = time(instantAt ?? from ?? '0');
  return {
    kind: 'eval',
    line: at,
    query,
    instant: instantAt !== undefined,
    startMs,
    endMs: instantAt !== undefined ? startMs : time(to ?? '0'),
    stepMs: instantAt !== undefined ? 1 : parseDuration(step ?? '1m'),
    expect: {
      fail: variant === '_fail' ? [any] : [],
      warn: variant === '_warn' ? [any] : [],
      info: variant === '_info' ? [any] : [],
      noWarn: false,
      noInfo: false,
      ordered: variant === '_ordered',
      string: undefined,
      rangeVector: undefined,
    },
    series: [],
    scalar: undefined,
  };
}

function time(text: string): number {
  return text.startsWith('-') ? -parseDuration(text.slice(1)) : parseDuration(text);
}

function addLoad(load: LoadCommand, line: string): void {
  const metric = parseMetric(line);
  if (metric.rest.startsWith('@st')) {
    load.startOffsets = parseDurations(metric.rest.slice('@st'.length));
    return;
  }
  const startOffsets = load.startOffsets;
  load.series.push({ ...parseSeriesLine(line), ...(startOffsets === undefined ? {} : { startOffsets }) });
  load.startOffsets = undefined;
}

function addExpectation(command: EvalCommand, line: string): void {
  if (addExpect(command.expect, line)) return;
  const single = parseFloatText(line);
  if (single !== undefined) command.scalar = { kind: 'float', value: single };
  else if (line.startsWith('{{')) command.scalar = parsePoints(line)[0];
  else command.series.push(parseSeriesLine(line));
}

function addExpect(expect: Expectations, line: string): boolean {
  const old = /^expected_fail_(message|regexp)\s+(.*)$/.exec(line);
  if (old !== null) {
    expect.fail = [{ kind: old[1] === 'message' ? 'exact' : 'regex', text: old[2] ?? '' }];
    return true;
  }
  const match = /^expect\s+(fail|warn|info|no_warn|no_info|ordered|string|range vector)\b\s*(.*)$/.exec(line);
  if (match === null) return false;
  const [, what, rest = ''] = match;
  switch (what) {
    case 'fail':
    case 'warn':
    case 'info':
      expect[what].push(textMatch(rest));
      break;
    case 'no_warn':
      expect.noWarn = true;
      break;
    case 'no_info':
      expect.noInfo = true;
      break;
    case 'ordered':
      expect.ordered = true;
      break;
    case 'string':
      expect.string = rest.startsWith('"') ? (JSON.parse(rest) as string) : rest.slice(1, -1);
      break;
    default:
      expect.rangeVector = rangeOf(rest);
  }
  return true;
}

function textMatch(rest: string): TextMatch {
  const match = /^(msg|regex)\s*:\s*(.*)$/.exec(rest);
  if (match === null) return { kind: 'any', text: '' };
  return { kind: match[1] === 'msg' ? 'exact' : 'regex', text: match[2] ?? '' };
}

function rangeOf(rest: string): { startMs: number; endMs: number; stepMs: number } {
  const match = /^from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/.exec(rest);
  if (match === null) throw new ScriptError(`bad range vector: ${rest}`);
  const [, from = '', to = '', step = ''] = match;
  return { startMs: time(from), endMs: time(to), stepMs: parseDuration(step) };
}
