/** Arrays of numbers that grow by doubling: a copy of twice the length, the new half zero. */

export function grownUints(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}
