/** CRC-32 with the Castagnoli polynomial (RFC 3720, appendix B.4), four bytes at a time ("slicing", Kounavis and Berry). */
const polynomial = 0x82f63b78;
const slices = 4;

const tables: readonly Uint32Array[] = (() => {
  const made = Array.from({ length: slices }, () => new Uint32Array(256));
  const first = made[0] as Uint32Array;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : polynomial);
    first[byte] = crc;
  }
  for (let slice = 1; slice < slices; slice++) {
    const before = made[slice - 1] as Uint32Array;
    for (let byte = 0; byte < 256; byte++) {
      const crc = before[byte] as number;
      (made[slice] as Uint32Array)[byte] = (crc >>> 8) ^ (first[crc & 0xff] as number);
    }
  }
  return made;
})();

export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let crc = 0xffff_ffff;
  let i = 0;
  for (; i + slices <= bytes.length; i += slices) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    const x = crc ^ word;
    crc =
      (t3[x & 0xff] as number) ^
      (t2[(x >>> 8) & 0xff] as number) ^
      (t1[(x >>> 16) & 0xff] as number) ^
      (t0[x >>> 24] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return (crc ^ 0xffff_ffff) >>> 0;
}
