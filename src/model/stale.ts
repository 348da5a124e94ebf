/**
 * The two NaNs that Prometheus tells apart by their bits: the staleness marker, "this series ended here", and
 * the ordinary one. JavaScript may change a NaN's payload whenever it holds it as a number, so both are read
 * and written here as bits inside a Float64Array and never pass through a variable.
 */
export const staleNaNBits = 0x7ff0_0000_0000_0002n;
/** Low and high 32 bits of the staleness marker. */
export const staleNaNWords: readonly [number, number] = [2, 0x7ff0_0000];
export const normalNaNBits = 0x7ff8_0000_0000_0001n;

const [lowWordStale, highWordStale] = staleNaNWords;
const highWordNormal = 0x7ff8_0000;

// One view per thread suffices: the calls are synchronous and each leaves nothing behind.
const cell = new Float64Array(1);
const words = new Uint32Array(cell.buffer);
const marker = new Float64Array(new BigUint64Array([staleNaNBits, normalNaNBits]).buffer);
const staleSource = marker.subarray(0, 1);
const normalSource = marker.subarray(1, 2);

/** Whether values[index] is the staleness marker, bit for bit. */
export function isStaleNaN(values: Float64Array, index: number): boolean {
  const value = values[index];
  // Only NaN differs from itself: the common case costs one comparison.
  // biome-ignore lint/suspicious/noSelfCompare: the NaN test without a call
  if (value === value) return false;
  cell.set(values.subarray(index, index + 1));
  return words[1] === highWordStale && words[0] === lowWordStale;
}

/** Writes the staleness marker. */
export function setStaleNaN(values: Float64Array, index: number): void {
  values.set(staleSource, index);
}

/** Writes the ordinary NaN. */
export function setNormalNaN(values: Float64Array, index: number): void {
  values.set(normalSource, index);
}

/** Turns every NaN that is neither marker into the ordinary one, as samples are stored. */
export function normalizeNaN(values: Float64Array, index: number): void {
  const value = values[index];
  // biome-ignore lint/suspicious/noSelfCompare: the NaN test without a call
  if (value === value || isStaleNaN(values, index)) return;
  if (words[1] !== highWordNormal || words[0] !== 1) setNormalNaN(values, index);
}
