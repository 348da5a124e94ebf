/**
 * Natural order: runs of digits compare as numbers, so that `node9` comes before `node10`.
 */
const runs = /\d+|\D+/g;

export function compareNatural(a: string, b: string): number {
  if (a === b) return 0;
  const left = a.match(runs) ?? [];
  const right = b.match(runs) ?? [];
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const x = left[i] as string;
    const y = right[i] as string;
    if (x === y) continue;
    if (isDigits(x) && isDigits(y)) {
      const order = compareDigits(x, y);
      if (order !== 0) return order;
      continue;
    }
    return x < y ? -1 : 1;
  }
  if (left.length !== right.length) return left.length - right.length;
  return a < b ? -1 : 1;
}

function isDigits(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 48 && code <= 57;
}

/** By value, of any length. */
function compareDigits(x: string, y: string): number {
  const a = x.replace(/^0+/, '');
  const b = y.replace(/^0+/, '');
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
