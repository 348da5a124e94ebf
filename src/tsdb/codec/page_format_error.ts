/** What decoding throws for bytes that no encoder wrote; the reader must not take any sample from them. */
export class PageFormatError extends Error {
  override readonly name = 'PageFormatError';
}
