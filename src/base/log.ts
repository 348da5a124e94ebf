import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

/** One structured line per event: `log.warn({ shard }, 'what happened')`. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = 'logfmt' | 'json';

/** A value as logfmt: bare when it is one plain word, else quoted as JSON. */
function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** Rewrites pino's JSON lines as Prometheus-style logfmt on stderr. */
function logfmtStream(): DestinationStream {
  return {
    write(line: string): void {
      const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
      const fields = Object.entries(rest).map(([key, value]) => `${key}=${logfmtValue(value)}`);
      const head = `time=${String(time)} level=${String(level).toUpperCase()} msg=${logfmtValue(msg ?? '')}`;
      process.stderr.write(`${[head, ...fields].join(' ')}\n`);
    },
  };
}

/** The process logger; writes to stderr as Prometheus does. */
export function createLogger(options: { level: LogLevel; format: LogFormat }): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (err: unknown) => (err instanceof Error ? err.message : err) },
  };
  return options.format === 'json' ? pino(settings, process.stderr) : pino(settings, logfmtStream());
}

/** For tests and tools: says nothing. */
export const silentLogger: Logger = pino({ level: 'silent' });
