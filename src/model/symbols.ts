/**
 * Interned strings: label names and values repeat across thousands of series, so a store keeps each once and
 * refers to it by a number. Symbols are counted references, because series come and go: when the last user
 * releases a symbol its number is free for another. Bounded in number and in bytes, so that hostile labels fill the table and
 * no more.
 */
import { assert } from '../base/index.ts';

export interface SymbolLimits {
  readonly symbolsMax: number;
  /** On the estimate that `bytes` gives. */
  readonly bytesMax: number;
}

/** Per symbol, besides its characters: map entry, array slot, string header, count. */
const symbolOverheadBytes = 72;

export class SymbolTable {
  readonly #limits: SymbolLimits;
  readonly #idByText = new Map<string, number>();
  readonly #texts: (string | undefined)[] = [];
  readonly #free: number[] = [];
  #uses = new Uint32Array(1024);
  #bytes = 0;

  constructor(limits: SymbolLimits) {
    assert(limits.symbolsMax <= 2 ** 32 - 1, 'symbols are numbered in 32 bits');
    this.#limits = limits;
  }

  /** The number of different texts held. */
  get size(): number {
    return this.#idByText.size;
  }

  /** An estimate of the memory held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The symbol of the text, one use added; a new one if need be. Undefined when the table is full. */
  acquire(text: string): number | undefined {
    const known = this.#idByText.get(text);
    if (known !== undefined) {
      this.#uses[known] = (this.#uses[known] as number) + 1;
      return known;
    }
    const bytes = symbolBytes(text);
    if (this.size >= this.#limits.symbolsMax || this.#bytes + bytes > this.#limits.bytesMax) return undefined;
    const symbol = this.#free.pop() ?? this.#texts.length;
    if (symbol === this.#uses.length) this.#grow();
    this.#texts[symbol] = text;
    this.#uses[symbol] = 1;
    this.#idByText.set(text, symbol);
    this.#bytes += bytes;
    return symbol;
  }

  /** The symbol of the text if there is one, its uses unchanged. */
  find(text: string): number | undefined {
    return this.#idByText.get(text);
  }

  /** The text of a symbol that is in use. */
  text(symbol: number): string {
    const text = this.#texts[symbol];
    assert(text !== undefined, 'the symbol is in use');
    return text;
  }

  /** Takes one use away; with the last one the text is forgotten and the number may be given out anew. */
  release(symbol: number): void {
    const text = this.text(symbol);
    const uses = (this.#uses[symbol] as number) - 1;
    this.#uses[symbol] = uses;
    if (uses > 0) return;
    this.#idByText.delete(text);
    this.#texts[symbol] = undefined;
    this.#free.push(symbol);
    this.#bytes -= symbolBytes(text);
  }

  #grow(): void {
    const grown = new Uint32Array(this.#uses.length * 2);
    grown.set(this.#uses);
    this.#uses = grown;
  }
}

/** V8 holds text with characters beyond U+00FF in two bytes each, other text in one. */
function symbolBytes(text: string): number {
  const wide = /[\u0100-\uffff]/.test(text);
  return symbolOverheadBytes + text.length * (wide ? 2 : 1);
}
