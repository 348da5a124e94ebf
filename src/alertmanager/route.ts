/** The routing tree: options inherited from parent to child, and which routes an alert takes. */
import { type Labels, type Matcher, matchesAll } from '../model/index.ts';
import type { Route } from './config.ts';
import { compileMatchers, matchersText } from './matchers.ts';

export interface RouteOptions {
  readonly receiver: string;
  readonly groupBy: ReadonlySet<string>;
  readonly groupByAll: boolean;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Not inherited. */
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
}

const rootDefaults: RouteOptions = {
  receiver: '',
  groupBy: new Set(),
  groupByAll: false,
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 4 * 3_600_000,
  muteTimeIntervals: [],
  activeTimeIntervals: [],
};

export class RouteNode {
  readonly options: RouteOptions;
  readonly matchers: readonly Matcher[];
  readonly continues: boolean;
  readonly children: readonly RouteNode[];
  /** Matchers along the path: the first half of a group key. Equal siblings share it. */
  readonly key: string;
  /** Unique within the tree. */
  readonly id: string;

  constructor(config: Route, parent?: RouteNode, position = 0) {
    const inherited = parent?.options ?? rootDefaults;
    this.matchers = compileMatchers(config.matchers);
    this.continues = config.continue;
    const own = matchersText(this.matchers);
    this.key = parent === undefined ? own : `${parent.key}/${own}`;
    this.id = parent === undefined ? own : `${parent.id}/${own}/${position}`;
    const groupsItself = config.groupBy !== undefined && !config.groupByAll;
    this.options = {
      receiver: config.receiver === '' ? inherited.receiver : config.receiver,
      groupBy: groupsItself ? new Set(config.groupBy) : inherited.groupBy,
      groupByAll: config.groupByAll || (!groupsItself && inherited.groupByAll),
      groupWaitMs: config.groupWaitMs ?? inherited.groupWaitMs,
      groupIntervalMs: config.groupIntervalMs ?? inherited.groupIntervalMs,
      repeatIntervalMs: config.repeatIntervalMs ?? inherited.repeatIntervalMs,
      muteTimeIntervals: config.muteTimeIntervals,
      activeTimeIntervals: config.activeTimeIntervals,
    };
    this.children = config.routes.map((child, i) => new RouteNode(child, this, i));
  }

  /** Depth first, the first matching child wins unless it continues; the node itself when no child matches. */
  match(labels: Labels): RouteNode[] {
    if (!matchesAll(this.matchers, labels)) return [];
    const found: RouteNode[] = [];
    for (const child of this.children) {
      const matched = child.match(labels);
      found.push(...matched);
      if (matched.length > 0 && !child.continues) break;
    }
    return found.length > 0 ? found : [this];
  }

  /** The labels that name the group of an alert under this route. */
  groupLabels(labels: Labels): Labels {
    return this.options.groupByAll ? labels : labels.keeping(this.options.groupBy);
  }
}
