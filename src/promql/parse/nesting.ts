/**
 * How deep a text nests, told from its characters before the grammar sees it: the grammar's time and memory grow faster
 * than the depth, and a hostile text nests to any. Brackets count, and signs and powers, which bind to the right.
 */

/** Strings, comments and words as a whole, else one character. An open string ends with the text. */
const piece = /"(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?|`[^`]*`?|#[^\n]*|[\w:.]+|\s+|[\s\S]/y;
const leftward: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'atan2', ...'*/%=!<>,']);
const openers = '([{';
const closers = ')]}';

/** Goes on from `at`, which lies before the end. */
export function pieceAt(text: string, at: number): string {
  piece.lastIndex = at;
  return piece.exec(text)?.[0] ?? '';
}

/** A power takes the grammar longer than a bracket does: it stands for several levels. */
const powerLevels = 3;

/** The most levels that are open at once before `end`. */
export function nestingOf(text: string, end: number): number {
  const outer: number[] = [];
  let depth = 0;
  let deepest = 0;
  let isOperand = false;
  for (let at = 0; at < end; ) {
    const word = pieceAt(text, at);
    at += word.length;
    if (word[0] === '#' || word.trim() === '') continue;
    if (openers.includes(word)) {
      outer.push(depth++);
      isOperand = false;
    } else if (closers.includes(word)) {
      depth = outer.pop() ?? 0;
      isOperand = true;
    } else if (word === '^' || ((word === '-' || word === '+') && !isOperand)) {
      depth += word === '^' ? powerLevels : 1;
      isOperand = false;
    } else if (word === '-' || word === '+' || leftward.has(word.toLowerCase())) {
      depth = outer.length === 0 ? 0 : (outer.at(-1) as number) + 1;
      isOperand = false;
    } else isOperand = true;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}
