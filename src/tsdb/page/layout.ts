/** The fixed numbers of a page, docs/formats/page.md, for its writer and its reader. */
export const pageMagic = 0x4750_5254; // 'TRPG', little-endian
/** Version 1, without start times and shared times, is read too. */
export const pageVersion = 2;

export const compressionNone = 0;
export const compressionZstd = 1;

/** magic u32 · version u8 · compression u8 · times pages u16 · crc32 u32 · body bytes u32 · series u32 */
export const headerBytes = 20;
export const versionAt = 4;
export const compressionAt = 5;
export const timesPagesAt = 6;
export const checksumAt = 8;
export const bodyBytesAt = 12;
export const seriesAt = 16;

/** A u32 of each series, a column each. */
export const Column = {
  Ordinal: 0,
  Samples: 1,
  /** An offset, or a reference to a page of times. */
  Times: 2,
  Values: 3,
  /** 0: none. */
  Histograms: 4,
  /** 0: none. Not in version 1. */
  StartTimes: 5,
} as const;
export type Column = (typeof Column)[keyof typeof Column];

export const directoryColumns: Readonly<Record<number, number>> = { 1: 5, [pageVersion]: 6 };
export const directoryEntryBytes: number = 6 * 4;

/** Number and checksum of a page of times that the page refers to, u32 each, behind the directory. */
export const timesPageBytes = 8;
/** Pages of times that one page refers to. */
export const timesPagesMax = 128;
/** A reference: this bit, the page of times in the table (7 bits), the offset in its body (24 bits). */
export const sharedFlag = 0x8000_0000;
export const sharedOffsetBits = 24;
export const sharedOffsetMax: number = 2 ** sharedOffsetBits - 1;

export const pageSeriesMax = 0xffff;
/** Samples of one series in one page: a day at one per 100 ms fits. */
export const seriesSamplesMax: number = 2 ** 20;
/** Before compression. */
export const bodyBytesMax: number = 64 * 2 ** 20;
