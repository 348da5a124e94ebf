/**
 * Metrics per actor kind. The hot path adds to plain numbers; prom-client reads them when it is scraped, so that a
 * message costs no observation of its own.
 */
import { Counter, Gauge, type Registry } from 'prom-client';

export type DeadLetterReason = 'full' | 'stopped' | 'not_found' | 'not_sent';

/** What an actor in the statistics shows of itself. */
export interface Measured {
  readonly mailboxDepth: number;
}

/** Running totals of one kind. */
export class KindStats {
  readonly kind: string;
  readonly live: Set<Measured> = new Set();
  messages = 0;
  processingMs = 0;
  restarts = 0;
  failures = 0;
  readonly deadLetters: Map<DeadLetterReason, number> = new Map();

  constructor(kind: string) {
    this.kind = kind;
  }

  deadLetter(reason: DeadLetterReason): void {
    this.deadLetters.set(reason, (this.deadLetters.get(reason) ?? 0) + 1);
  }

  get mailboxDepth(): number {
    let depth = 0;
    for (const actor of this.live) depth += actor.mailboxDepth;
    return depth;
  }
}

/** All kinds of one system. Kinds are few and named in code, so the map is bounded by the program. */
export class RuntimeStats {
  readonly #kinds: Map<string, KindStats> = new Map();

  of(kind: string): KindStats {
    let stats = this.#kinds.get(kind);
    if (stats === undefined) {
      stats = new KindStats(kind);
      this.#kinds.set(kind, stats);
    }
    return stats;
  }

  get kinds(): Iterable<KindStats> {
    return this.#kinds.values();
  }

  /** Dead letters of all kinds and reasons. */
  get deadLetters(): number {
    let sum = 0;
    for (const stats of this.#kinds.values()) for (const count of stats.deadLetters.values()) sum += count;
    return sum;
  }
}

type Read = (stats: KindStats) => number;

const gauges: readonly [string, string, Read][] = [
  ['torchring_actors', 'Actors that are alive.', (s) => s.live.size],
  ['torchring_actor_mailbox_depth', 'Messages that wait in mailboxes.', (s) => s.mailboxDepth],
];

const counters: readonly [string, string, Read][] = [
  ['torchring_actor_messages_total', 'Messages handled.', (s) => s.messages],
  [
    'torchring_actor_processing_seconds_total',
    'Time spent on messages; for asynchronous ones until they settled.',
    (s) => s.processingMs / 1000,
  ],
  ['torchring_actor_failures_total', 'Messages and starts that threw.', (s) => s.failures],
  ['torchring_actor_restarts_total', 'Restarts after a failure.', (s) => s.restarts],
];

/** Registers the metrics of a system's actors in `registry`. */
export function registerRuntimeMetrics(stats: RuntimeStats, registry: Registry): void {
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        for (const kind of stats.kinds) this.set({ kind: kind.kind }, read(kind));
      },
    });
  }
  for (const [name, help, read] of counters) {
    new Counter({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        this.reset();
        for (const kind of stats.kinds) this.inc({ kind: kind.kind }, read(kind));
      },
    });
  }
  new Counter({
    name: 'torchring_actor_dead_letters_total',
    help: 'Messages that reached no behavior.',
    labelNames: ['kind', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { kind, deadLetters } of stats.kinds) {
        for (const [reason, count] of deadLetters) this.inc({ kind, reason }, count);
      }
    },
  });
}
