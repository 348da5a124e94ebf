/** What a node may be called: it becomes a label value, a key and a part of file names. */
const pattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

export function isNodeId(text: string): boolean {
  return pattern.test(text);
}
