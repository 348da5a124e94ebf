/** Series that an aggregation picks, as bytes: labels travel apart. */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../../base/index.ts';
import { type FloatHistogram, readSoundHistogram, writeHistogram } from '../../../model/index.ts';
import { readNumbers, readSteps, writeNumbers, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import { noHistograms } from '../values.ts';
import type { ReadContext } from './group_state.ts';

const flags = { dropName: 1, histograms: 2 } as const;

/**
 *     whether histograms were ignored, varint members, per member:
 *     flags, steps with values, values; with flag 2 the steps that have histograms, and these
 */
export function writeMembers(writer: ByteWriter, members: readonly StepSeries[], ignored: boolean): void {
  writer.u8(ignored ? 1 : 0);
  writer.varint(members.length);
  for (const { values, present, histograms, dropName } of members) {
    writer.u8((dropName === true ? flags.dropName : 0) | (histograms === undefined ? 0 : flags.histograms));
    writeSteps(writer, present);
    writeNumbers(writer, values, present);
    if (histograms !== undefined) writeHistograms(writer, histograms);
  }
}

/** Throws ByteFormatError. */
export function readMembers(context: ReadContext): { members: StepSeries[]; ignored: boolean } {
  const { reader, steps, claim, nextLabels } = context;
  const ignored = reader.u8() === 1;
  const members: StepSeries[] = [];
  const count = reader.varint();
  if (count > reader.remaining) throw new ByteFormatError(`${count} series in ${reader.remaining} bytes`);
  for (let i = 0; i < count; i++) {
    const set = reader.u8();
    claim((set & flags.histograms) === 0 ? 1 : 2);
    const present = readSteps(reader, steps);
    members.push({
      labels: nextLabels(),
      values: readNumbers(reader, present),
      present,
      ...((set & flags.histograms) === 0 ? {} : { histograms: readHistograms(reader, present) }),
      ...((set & flags.dropName) === 0 ? {} : { dropName: true }),
    });
  }
  return { members, ignored };
}

function writeHistograms(writer: ByteWriter, histograms: readonly (FloatHistogram | null)[]): void {
  writeSteps(
    writer,
    Uint8Array.from(histograms, (histogram) => (histogram === null ? 0 : 1)),
  );
  for (const histogram of histograms) if (histogram !== null) writeHistogram(writer, histogram);
}

function readHistograms(reader: ByteReader, present: Uint8Array): (FloatHistogram | null)[] {
  const histograms = noHistograms(present.length);
  for (const [i, isThere] of readSteps(reader, present.length).entries()) {
    if (isThere !== 1) continue;
    if (present[i] !== 1) throw new ByteFormatError('a histogram is at a step that has no value');
    histograms[i] = readSoundHistogram(reader);
  }
  return histograms;
}
