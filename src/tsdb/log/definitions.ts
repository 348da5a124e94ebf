/**
 * What series ids stand for, many at a time. Series that come together share most of their names and values, so each text
 * is written, and read, once: that is smaller, and several times as fast, as label sets one by one.
 * docs/formats/log-frame.md draws it.
 */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import { compareBytes, Labels } from '../../model/index.ts';
import { idMax } from './keys.ts';

/** What a series' id stands for from here on. */
export interface NewSeries {
  readonly id: number;
  readonly labels: Labels;
}

export function writeDefinitions(into: ByteWriter, series: readonly NewSeries[]): void {
  into.varint(series.length);
  if (series.length === 0) return;
  const numbers = new Map<string, number>();
  for (const { labels } of series) {
    for (const text of labels.flat) if (!numbers.has(text)) numbers.set(text, numbers.size);
  }
  into.varint(numbers.size);
  for (const text of numbers.keys()) into.text(text);
  let previous = 0;
  for (const { id, labels } of series) {
    into.varsint(id - previous);
    into.varint(labels.size);
    for (const text of labels.flat) into.varint(numbers.get(text) as number);
    previous = id;
  }
}

/** Throws ByteFormatError, also for labels that are out of order, twice there or empty. */
export function readDefinitions(reader: ByteReader): NewSeries[] {
  const series: NewSeries[] = [];
  const count = reader.varint();
  if (count === 0) return series;
  const texts: string[] = [];
  // Ends with the bytes, as all loops here do.
  for (let left = reader.varint(); left > 0; left--) texts.push(reader.text());
  let id = 0;
  for (let left = count; left > 0; left--) {
    id += reader.varsint();
    if (!(id >= 1 && id <= idMax)) throw new ByteFormatError(`series id ${id}`);
    series.push({ id, labels: readNumbered(reader, texts) });
  }
  return series;
}

function readNumbered(reader: ByteReader, texts: readonly string[]): Labels {
  const flat: string[] = [];
  let previous: string | undefined;
  for (let left = reader.varint(); left > 0; left--) {
    const name = texts[reader.varint()];
    const value = texts[reader.varint()];
    if (name === undefined || value === undefined) throw new ByteFormatError('a label of no text');
    if (value === '') throw new ByteFormatError('a label without a value');
    if (previous !== undefined && compareBytes(previous, name) >= 0)
      throw new ByteFormatError('labels that are not in order');
    flat.push(name, value);
    previous = name;
  }
  return Labels.fromSortedFlat(flat);
}
