/**
 * A data set as remote write requests in a file: encoded once, sent to every peer as the same bytes. A request holds
 * whole scrapes, 2,000 samples or more, as senders make them.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ByteReader } from '../../src/base/index.ts';
import type { Labels } from '../../src/model/index.ts';
import { encodeWriteRequest, snappyCompress } from '../../src/remote/index.ts';
import type { Scrape, ScrapedTarget, ScrapeSource } from '../workload/data_set.ts';

const samplesPerRequest = 2000;
const readBytes = 4 << 20;

export interface Recorded {
  readonly requests: number;
  readonly samples: number;
  readonly bytes: number;
  readonly lastTimeMs: number;
}

interface Body {
  readonly bytes: Uint8Array;
  readonly samples: number;
  readonly timeMs: number;
}

/** Writes `rounds` scrapes of each target into the file; each request behind its length in four bytes. */
export async function recordRequests(path: string, set: ScrapeSource, rounds: number): Promise<Recorded> {
  const file = createWriteStream(path, { highWaterMark: readBytes });
  const total = { requests: 0, samples: 0, bytes: 0, lastTimeMs: 0 };
  for (const { bytes, samples, timeMs } of bodies(set, rounds)) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    file.write(length);
    if (!file.write(bytes)) await once(file, 'drain');
    total.requests++;
    total.samples += samples;
    total.bytes += bytes.length;
    total.lastTimeMs = timeMs;
  }
  file.end();
  await finished(file);
  return total;
}

/** The bodies in the file, in order. */
export async function* readRequests(path: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: readBytes })) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    while (at + 4 <= rest.length) {
      const end = at + 4 + rest.readUInt32LE(at);
      if (end > rest.length) break;
      yield new Uint8Array(rest.subarray(at + 4, end));
      at = end;
    }
    rest = rest.subarray(at);
  }
}

/** One target's scrape as a request: its series come encoded, with eight bytes for the value and six for the time. */
interface Template {
  readonly series: readonly Labels[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Behind the last byte of each series. */
  readonly ends: Uint32Array;
}

/**
 * The scrapes of a target differ in time and values only: the first goes through the encoder, in the later ones these bytes
 * are replaced. Each series' message ends with its sample: a double, a tag and a varint that has six bytes in these centuries.
 */
class Templates {
  readonly #templates = new Map<ScrapedTarget, Template>();

  encode(scrape: Scrape): Uint8Array<ArrayBuffer> {
    let template = this.#templates.get(scrape.target);
    if (template?.series !== scrape.target.series) {
      template = templateOf(scrape);
      this.#templates.set(scrape.target, template);
    }
    const bytes = template.bytes.slice();
    const view = new DataView(bytes.buffer);
    const time = new Uint8Array(timeBytes);
    for (let i = 0, rest = scrape.timeMs; i < timeBytes; i++, rest = Math.floor(rest / 128)) {
      time[i] = (rest % 128) | (i + 1 < timeBytes ? 128 : 0);
    }
    for (let i = 0; i < template.ends.length; i++) {
      const end = template.ends[i] as number;
      bytes.set(time, end - timeBytes);
      view.setFloat64(end - timeBytes - 1 - 8, scrape.values[i] as number, true);
    }
    return bytes;
  }
}

const timeBytes = 6;

function templateOf({ target, timeMs, values }: Scrape): Template {
  const { series } = target;
  const refs = Uint32Array.from(series, (_, i) => i);
  const timestamps = new Float64Array(series.length).fill(timeMs);
  const bytes = encodeWriteRequest({ series, refs, timestamps, values });
  const reader = new ByteReader(bytes);
  const ends = Uint32Array.from(series, () => {
    reader.u8();
    reader.block();
    return bytes.length - reader.remaining;
  });
  return { series, bytes, ends };
}

/** Bodies of whole scrapes, no two of one target: messages of one kind, one behind the other, are one message. */
function* bodies(set: ScrapeSource, rounds: number): Generator<Body> {
  const templates = new Templates();
  for (let k = 0; k < rounds; k++) {
    let held: Uint8Array[] = [];
    let samples = 0;
    let timeMs = 0;
    for (const scrape of set.round()) {
      held.push(templates.encode(scrape));
      samples += scrape.values.length;
      timeMs = scrape.timeMs;
      if (samples < samplesPerRequest) continue;
      yield { bytes: snappyCompress(Buffer.concat(held)), samples, timeMs };
      held = [];
      samples = 0;
    }
    if (samples > 0) yield { bytes: snappyCompress(Buffer.concat(held)), samples, timeMs };
  }
}
