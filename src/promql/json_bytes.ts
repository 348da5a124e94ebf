/**
 * JSON written straight as bytes: of an answer with many series or samples most of the time would go into short strings that
 * are put together, then turned into bytes. Numbers and times look as the HTTP API shows them; what repeats is copied.
 */
import { formatFloatJson, formatTimestamp } from '../model/index.ts';

const quote = 0x22;
const backslash = 0x5c;
const firstPrintable = 0x20;
const firstBeyondAscii = 0x7f;
const zero = 0x30;
const minus = 0x2d;
const point = 0x2e;
/** Longer than any number or time. */
const numberBytesMax = 40;
/** What is written with digits alone; above, a number's own text is asked for. */
const wholeMax = 2 ** 31;
const thousandthsMax = 1e12;

const encoder = new TextEncoder();

export class JsonBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #lastValue = Number.NaN;
  /** The text of the last value. */
  readonly #lastText = new Uint8Array(numberBytesMax);
  #lastLength = 0;
  readonly #digits = new Uint8Array(numberBytesMax);

  constructor(initialBytes: number) {
    this.#bytes = new Uint8Array(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written since the last time, for the caller to keep. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #room(bytes: number): Uint8Array<ArrayBuffer> {
    const needed = this.#length + bytes;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  /** ASCII, as it is. */
  raw(text: string): void {
    const bytes = this.#room(text.length);
    let at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#room(end - start);
    let at = this.#length;
    for (let i = start; i < end; i++) bytes[at++] = from[i] as number;
    this.#length = at;
  }

  /** Any text as a JSON string. */
  string(text: string): void {
    const bytes = this.#room(text.length + 2);
    let at = this.#length;
    bytes[at++] = quote;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < firstPrintable || code >= firstBeyondAscii || code === quote || code === backslash) {
        this.#escaped(text);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = quote;
    this.#length = at;
  }

  #escaped(text: string): void {
    const encoded = encoder.encode(JSON.stringify(text));
    this.copy(encoded, 0, encoded.length);
  }

  /** A sample's value in quotes. */
  value(value: number): void {
    const bytes = this.#room(numberBytesMax + 2);
    bytes[this.#length++] = quote;
    if (this.#lastLength > 0 && Object.is(value, this.#lastValue))
      this.copy(this.#lastText, 0, this.#lastLength);
    else this.#newValue(value);
    bytes[this.#length++] = quote;
  }

  #newValue(value: number): void {
    const from = this.#length;
    const thousandths = Math.round(value * 1000);
    if (Math.abs(value) < wholeMax && Math.trunc(value) === value && !Object.is(value, -0)) this.whole(value);
    // No shorter decimal reads back the same: up to 15 digits tell floats apart.
    else if (Math.abs(thousandths) < thousandthsMax && thousandths / 1000 === value && value !== 0)
      this.#decimal(thousandths);
    else this.raw(formatFloatJson(value));
    this.#lastValue = value;
    this.#lastLength = this.#length - from;
    const bytes = this.#bytes;
    for (let i = 0; i < this.#lastLength; i++) this.#lastText[i] = bytes[from + i] as number;
  }

  /** An integer. */
  whole(value: number): void {
    const bytes = this.#room(numberBytesMax);
    const digits = this.#digits;
    let at = this.#length;
    let rest = Math.abs(value);
    if (value < 0) bytes[at++] = minus;
    let count = 0;
    do {
      const next = Math.floor(rest / 10);
      digits[count++] = zero + rest - next * 10;
      rest = next;
    } while (rest > 0);
    while (count > 0) bytes[at++] = digits[--count] as number;
    this.#length = at;
  }

  /** With as many decimals as are not zero. */
  #decimal(thousandths: number): void {
    const magnitude = Math.abs(thousandths);
    const whole = Math.floor(magnitude / 1000);
    let decimals = magnitude - whole * 1000;
    const bytes = this.#room(numberBytesMax);
    if (thousandths < 0) bytes[this.#length++] = minus;
    this.whole(whole);
    bytes[this.#length++] = point;
    for (let unit = 100; decimals > 0; unit /= 10) {
      const digit = Math.floor(decimals / unit);
      bytes[this.#length++] = zero + digit;
      decimals -= digit * unit;
    }
  }

  /** A sample's time. */
  time(timestampMs: number): void {
    this.raw(formatTimestamp(timestampMs));
  }
}
