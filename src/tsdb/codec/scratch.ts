/**
 * Working columns of the encoders, kept between calls because making them would cost more than using them. What is in
 * them means nothing between calls; no encoder calls another that uses the same one.
 */
export class Scratch {
  #column: Float64Array<ArrayBuffer> = new Float64Array(512);

  /** A column of at least `count` elements that hold anything. */
  column(count: number): Float64Array<ArrayBuffer> {
    if (this.#column.length < count)
      this.#column = new Float64Array(Math.max(count, this.#column.length * 2));
    return this.#column;
  }
}
