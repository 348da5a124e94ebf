// Quantities as Go libraries write them that Prometheus' and Alertmanager's files use beside Prometheus' own
// durations: time.Duration's text and base-2 byte sizes of github.com/alecthomas/units.
import { quoteGo } from '../quote.ts';

const goUnitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration such as `1h2m3.5s`. Throws an Error that says what is wrong. */
export function parseGoDuration(text: string): number {
  const found = /^([-+]?)(.*)$/s.exec(text);
  const body = found?.[2] ?? '';
  if (body === '0') return 0;
  if (body === '') throw new Error(`time: invalid duration ${quoteGo(text)}`);
  const part = /([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)/y;
  let totalMs = 0;
  for (let at = 0; at < body.length; at = part.lastIndex) {
    const match = part.exec(body);
    if (match === null) throw new Error(`time: invalid duration ${quoteGo(text)}`);
    const unit = match[2] ?? '';
    if (unit === '') throw new Error(`time: missing unit in duration ${quoteGo(text)}`);
    const unitMs = goUnitsMs[unit];
    if (unitMs === undefined)
      throw new Error(`time: unknown unit ${quoteGo(unit)} in duration ${quoteGo(text)}`);
    totalMs += Number(match[1]) * unitMs;
  }
  return found?.[1] === '-' ? -totalMs : totalMs;
}

const binaryUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
  PB: 2 ** 50,
  EB: 2 ** 60,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
  EiB: 2 ** 60,
};

/** Bytes of a size such as `512MB` or `1.5GiB`; units are powers of 1024 either way. Throws an Error. */
export function parseByteSize(text: string): number {
  const found = /^([-+]?)(.*)$/s.exec(text);
  const body = found?.[2] ?? '';
  if (body === '0') return 0;
  if (body === '') throw new Error(`units: invalid ${text}`);
  const part = /([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)/y;
  let total = 0;
  for (let at = 0; at < body.length; at = part.lastIndex) {
    const match = part.exec(body);
    if (match === null) throw new Error(`units: invalid ${text}`);
    const unitBytes = binaryUnits[match[2] ?? ''];
    if (unitBytes === undefined) throw new Error(`units: unknown unit ${match[2] ?? ''} in ${text}`);
    total += Number(match[1]) * unitBytes;
  }
  return found?.[1] === '-' ? -total : total;
}
