/** What may stand between a binary operator and its right side: `bool`, which labels match, and fill-in values. */
import { parseNumberToken } from './duration_parser.ts';
import { parseGroupingLabels } from './label_parser.ts';
import type { TokenReader } from './token_reader.ts';
import { canBegin, type Token } from './tokens.ts';
import type { VectorMatching } from './tree.ts';

type Groups = Pick<VectorMatching, 'cardinality' | 'include'>;
type Fills = Pick<VectorMatching, 'fillLeft' | 'fillRight'>;

export function parseMatching(reader: TokenReader): { returnBool: boolean; matching: VectorMatching } {
  const returnBool = reader.takeIf('bool') !== undefined;
  const word = reader.takeIf('on') ?? reader.takeIf('ignoring');
  const labels = word === undefined ? [] : parseGroupingLabels(reader).labels;
  const groups: Groups =
    word === undefined ? { cardinality: 'one-to-one', include: [] } : parseGroups(reader);
  return { returnBool, matching: { ...groups, on: word?.kind === 'on', labels, ...parseFills(reader) } };
}

function parseGroups(reader: TokenReader): Groups {
  const word = reader.takeIf('group_left') ?? reader.takeIf('group_right');
  if (word === undefined) return { cardinality: 'one-to-one', include: [] };
  const include = reader.is('(') || !mayFollow(reader.peek()) ? parseGroupingLabels(reader).labels : [];
  return { cardinality: word.kind === 'group_left' ? 'many-to-one' : 'one-to-many', include };
}

/** What may stand behind a grouping without labels; of anything else the labels are missed. */
function mayFollow(token: Token): boolean {
  return token.kind.startsWith('fill') || canBegin(token);
}

function parseFills(reader: TokenReader): Fills {
  if (reader.takeIf('fill') !== undefined) {
    const value = parseFill(reader);
    return { fillLeft: value, fillRight: value };
  }
  if (reader.takeIf('fill_left') !== undefined) {
    const fillLeft = parseFill(reader);
    return reader.takeIf('fill_right') === undefined
      ? { fillLeft }
      : { fillLeft, fillRight: parseFill(reader) };
  }
  if (reader.takeIf('fill_right') === undefined) return {};
  const fillRight = parseFill(reader);
  return reader.takeIf('fill_left') === undefined
    ? { fillRight }
    : { fillRight, fillLeft: parseFill(reader) };
}

function parseFill(reader: TokenReader): number {
  reader.expect('(');
  const sign = reader.takeIf('-') ?? reader.takeIf('+');
  if (!reader.is('number') && !reader.is('duration')) reader.unexpected();
  const { value } = parseNumberToken(reader);
  reader.expect(')');
  return sign?.kind === '-' ? -value : value;
}
