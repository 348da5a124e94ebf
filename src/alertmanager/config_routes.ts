// Decoders of `route` and `inhibit_rules`: matchers in their three spellings become one list.
import { AnchoredRegex, type Decoder, decode, isValidLabelName, type Report } from '../model/index.ts';
import type { InhibitRule, MatcherConfig, Route } from './config_types.ts';
import { parseMatchers, sortMatchers } from './matcher_text.ts';

const { field, string, bool, duration, list, map, optional } = decode;

const classicName: Decoder<string> = decode.fromText('', (name) => {
  if (!isValidLabelName(name, 'legacy')) throw new Error(`invalid label name "${name}"`);
  return name;
});

/** `match`: label to value. */
const equalities: Decoder<readonly MatcherConfig[]> = decode.mapped(map(string, classicName), (labels) =>
  Object.entries(labels).map(([name, value]) => ({ name, type: '=' as const, value })),
);

const pattern: Decoder<string | undefined> = decode.fromText<string | undefined>(undefined, (text) => {
  AnchoredRegex.compile(text);
  return text;
});

/** `match_re`: label to pattern; a null pattern is refused. */
const patterns: Decoder<readonly MatcherConfig[]> = decode.mapped(
  decode.checked(map(pattern, classicName), (labels) => {
    const missing = Object.keys(labels).find((name) => labels[name] === undefined);
    return missing === undefined ? undefined : `invalid regexp value for "${missing}"`;
  }),
  (labels) =>
    Object.entries(labels).map(([name, value]) => ({ name, type: '=~' as const, value: value ?? '' })),
);

/** `matchers`: a list of texts, each one or several matchers. */
const matchers: Decoder<readonly MatcherConfig[]> = decode.mapped(
  list(decode.fromText<readonly MatcherConfig[]>([], parseMatchers)),
  (texts) => texts.flat(),
);

/** A list of label names, any text that is not empty. */
function labelList(where: string): Decoder<readonly string[]> {
  return list(
    decode.fromText('', (name) => {
      if (!isValidLabelName(name)) throw new Error(`invalid label name "${name}" in ${where}`);
      return name;
    }),
  );
}

/** The route with the function that reports a problem of it at its line. */
export interface PlacedRoute {
  readonly route: Route;
  readonly report: Report;
  readonly children: readonly PlacedRoute[];
  readonly hasMatchers: boolean;
}

interface RawRoute {
  readonly receiver: string;
  readonly groupBy: readonly string[] | undefined;
  readonly match: readonly MatcherConfig[];
  readonly matchRe: readonly MatcherConfig[];
  readonly matchers: readonly MatcherConfig[];
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly continue: boolean;
  readonly routes: readonly PlacedRoute[];
  readonly groupWaitMs: number | undefined;
  readonly groupIntervalMs: number | undefined;
  readonly repeatIntervalMs: number | undefined;
}

const emptyRoute: PlacedRoute = {
  route: {
    receiver: '',
    groupBy: undefined,
    groupByAll: false,
    matchers: [],
    muteTimeIntervals: [],
    activeTimeIntervals: [],
    continue: false,
    routes: [],
    groupWaitMs: undefined,
    groupIntervalMs: undefined,
    repeatIntervalMs: undefined,
  },
  report: () => {},
  children: [],
  hasMatchers: false,
};

/** A node of the tree, its subtree included. */
export const route: Decoder<PlacedRoute> = {
  zero: emptyRoute,
  decode: (node, scope) => routeSection.decode(node, scope),
};

const routeSection = decode.section<RawRoute, PlacedRoute>(
  {
    receiver: field('receiver', string),
    groupBy: field('group_by', optional(labelList('group_by list'))),
    match: field('match', equalities),
    matchRe: field('match_re', patterns),
    matchers: field('matchers', matchers),
    muteTimeIntervals: field('mute_time_intervals', list(string)),
    activeTimeIntervals: field('active_time_intervals', list(string)),
    continue: field('continue', bool),
    routes: field('routes', list(route, { nullItem: 'empty or null route' })),
    groupWaitMs: field('group_wait', optional(duration)),
    groupIntervalMs: field('group_interval', optional(duration)),
    repeatIntervalMs: field('repeat_interval', optional(duration)),
  },
  (raw, report) => {
    const { match, matchRe, matchers: own, routes, groupBy, ...rest } = raw;
    checkGrouping(raw, report);
    const all = sortMatchers([...match, ...matchRe, ...own]);
    const groupByAll = groupBy?.includes('...') ?? false;
    return {
      route: {
        ...rest,
        groupBy: groupByAll ? [] : groupBy,
        groupByAll,
        matchers: all,
        routes: routes.map((child) => child.route),
      },
      report,
      children: routes,
      hasMatchers: all.length > 0,
    };
  },
);

function checkGrouping({ groupBy = [], groupIntervalMs, repeatIntervalMs }: RawRoute, report: Report): void {
  const labels = groupBy.filter((name) => name !== '...');
  if (labels.length > 0 && labels.length < groupBy.length) {
    report('cannot have wildcard group_by (`...`) and other labels at the same time', 'group_by');
  }
  const repeated = labels.find((name, index) => labels.indexOf(name) !== index);
  if (repeated !== undefined) report(`duplicated label "${repeated}" in group_by`, 'group_by');
  if (groupIntervalMs === 0) report('group_interval cannot be zero', 'group_interval');
  if (repeatIntervalMs === 0) report('repeat_interval cannot be zero', 'repeat_interval');
}

interface RawInhibitRule {
  readonly name: string;
  readonly sourceMatch: readonly MatcherConfig[];
  readonly sourceMatchRe: readonly MatcherConfig[];
  readonly sourceMatchers: readonly MatcherConfig[];
  readonly targetMatch: readonly MatcherConfig[];
  readonly targetMatchRe: readonly MatcherConfig[];
  readonly targetMatchers: readonly MatcherConfig[];
  readonly equal: readonly string[];
}

/** One entry of `inhibit_rules`. */
export const inhibitRule: Decoder<InhibitRule> = decode.section<RawInhibitRule, InhibitRule>(
  {
    name: field('name', string),
    sourceMatch: field('source_match', equalities),
    sourceMatchRe: field('source_match_re', patterns),
    sourceMatchers: field('source_matchers', matchers),
    targetMatch: field('target_match', equalities),
    targetMatchRe: field('target_match_re', patterns),
    targetMatchers: field('target_matchers', matchers),
    equal: field('equal', labelList('equal list')),
  },
  (raw) => ({
    name: raw.name,
    sourceMatchers: sortMatchers([...raw.sourceMatch, ...raw.sourceMatchRe, ...raw.sourceMatchers]),
    targetMatchers: sortMatchers([...raw.targetMatch, ...raw.targetMatchRe, ...raw.targetMatchers]),
    equal: raw.equal,
  }),
);
