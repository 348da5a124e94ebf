/**
 * References by log id. Ids ascend for ever while series come and go, so what is live is runs of neighbours with wide gaps
 * between: small pages in a map, the last one at hand.
 */
const pageBits = 6;
const pageMask = (1 << pageBits) - 1;

export class IdTable {
  readonly #pages = new Map<number, Int32Array>();
  readonly #absent: number;
  #number = -1;
  #page: Int32Array | undefined;

  /** `absent` stands for every id that was not set. */
  constructor(absent: number) {
    this.#absent = absent;
  }

  get(id: number): number {
    const page = this.#pageOf(id >>> pageBits);
    return page === undefined ? this.#absent : (page[id & pageMask] as number);
  }

  set(id: number, value: number): void {
    let page = this.#pageOf(id >>> pageBits);
    if (page === undefined) {
      page = new Int32Array(pageMask + 1).fill(this.#absent);
      this.#pages.set(id >>> pageBits, page);
      this.#page = page;
    }
    page[id & pageMask] = value;
  }

  #pageOf(number: number): Int32Array | undefined {
    if (number === this.#number) return this.#page;
    this.#number = number;
    this.#page = this.#pages.get(number);
    return this.#page;
  }
}
