/**
 * How large a pattern becomes when its counted repetitions are written out, which is how RE2 runs them: a few
 * hundred characters can ask for hundreds of megabytes. Estimated from the text in one pass, before the engine is
 * asked to compile it.
 */

/** RE2 refuses larger counts itself. */
const countMax = 1000;

/** A repetition, quoted text, a named class, an escape with what belongs to it, or a single character. */
const token =
  /\{(\d{1,9})(?:,(\d{0,9}))?\}|\\Q.*?(?:\\E|$)|\[:\^?[a-z]{1,10}:\]|\\[pPx]\{[^}]{0,40}\}|\\.|./gs;

/** The number of atoms after expansion; not exact, but never far too small. */
export function expandedSize(pattern: string): number {
  /** Sizes outside the groups that are open, the whole pattern first. */
  const open: number[] = [];
  let size = 0;
  let lastAtom = 0;
  let classStart: number | undefined;
  for (const found of pattern.matchAll(token)) {
    const [text, least, most] = found;
    if (classStart !== undefined) {
      if (text === ']' && !isFirstOfClass(pattern, classStart, found.index)) classStart = undefined;
    } else if (least !== undefined) {
      const count = Math.max(Number(least), Number(most ?? 0), 1);
      const expanded = lastAtom * Math.min(count, countMax);
      size += expanded - lastAtom;
      lastAtom = expanded;
    } else if (text === '(') {
      open.push(size);
      size = 0;
    } else if (text === ')') {
      lastAtom = size + 1;
      size = lastAtom + (open.pop() ?? 0);
    } else if (text !== '*' && text !== '+' && text !== '?') {
      if (text === '[') classStart = found.index;
      lastAtom = 1;
      size += text.startsWith('\\Q') ? text.length : 1;
    }
  }
  return open.reduce((sum, outer) => sum + outer, size);
}

/** A bracket right after the opening one, or its ^, is a member of the class. */
function isFirstOfClass(pattern: string, classStart: number, at: number): boolean {
  return at === classStart + 1 || (at === classStart + 2 && pattern[classStart + 1] === '^');
}
