/**
 * A set of series ids as bitmaps of neighbouring ids: 512 bytes for up to 4,096 of them, so that looking one up for each sample
 * of a replay costs next to nothing, and ids that are far apart cost no more than their neighbourhoods.
 */
const pageBits = 12;
const pageWords = 2 ** pageBits / 32;

export class IdSet {
  readonly #pages = new Map<number, Uint32Array>();
  /** The page that was asked for last: ids come in runs. */
  #number = -1;
  #page: Uint32Array | undefined;

  has(id: number): boolean {
    const number = id >>> pageBits;
    if (number !== this.#number) this.#turnTo(number);
    if (this.#page === undefined) return false;
    return (((this.#page[(id >>> 5) & (pageWords - 1)] as number) >>> (id & 31)) & 1) === 1;
  }

  /** Whether it is new. */
  add(id: number): boolean {
    if (this.has(id)) return false;
    let page = this.#page;
    if (page === undefined) {
      page = new Uint32Array(pageWords);
      this.#pages.set(this.#number, page);
      this.#page = page;
    }
    const word = (id >>> 5) & (pageWords - 1);
    page[word] = (page[word] as number) | (1 << (id & 31));
    return true;
  }

  #turnTo(number: number): void {
    this.#number = number;
    this.#page = this.#pages.get(number);
  }
}
