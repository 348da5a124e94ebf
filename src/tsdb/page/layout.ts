/** The fixed numbers of a page, docs/formats/page.md, for its writer and its reader. */
export const pageMagic = 0x4750_5254; // 'TRPG', little-endian
export const pageVersion = 1;

export const compressionNone = 0;
export const compressionZstd = 1;

/** magic u32 · version u8 · compression u8 · zero u16 · crc32 u32 · body bytes u32 · series u32 */
export const headerBytes = 20;
export const versionAt = 4;
export const compressionAt = 5;
export const checksumAt = 8;
export const bodyBytesAt = 12;
export const seriesAt = 16;

/** ordinal, samples, and the offsets of times, values and histograms (0: none), u32 each, a column each. */
export const directoryColumns = 5;
export const directoryEntryBytes: number = directoryColumns * 4;

export const pageSeriesMax = 0xffff;
/** Samples of one series in one page: a day at one per 100 ms fits. */
export const seriesSamplesMax: number = 2 ** 20;
/** Before compression. */
export const bodyBytesMax: number = 64 * 2 ** 20;
