/**
 * Label pairs as numbers: (name symbol, value symbol) → pair. A series is a run of pairs, and postings are kept per
 * pair, so a label costs a series 4 bytes for itself and 4 in the index. Pairs of one name are linked, for matchers
 * that must try all values of a name. A pair lives as long as a series carries it and holds one use of its symbols.
 *
 * Pairs are found by open addressing with a seed that label senders don't know.
 */
import type { SymbolTable } from '../../model/index.ts';
import { grownUints } from './grown.ts';

const none = 0xffffffff;
const slotCountMin = 1024;

export class PairTable {
  readonly symbols: SymbolTable;
  readonly #seed: number;
  #names = new Uint32Array(slotCountMin);
  #values = new Uint32Array(slotCountMin);
  #uses = new Uint32Array(slotCountMin);
  #next = new Uint32Array(slotCountMin);
  #previous = new Uint32Array(slotCountMin);
  /** Pair + 1; 0 is free. */
  #slots = new Uint32Array(slotCountMin * 2);
  readonly #firstOfName = new Map<number, number>();
  readonly #free: number[] = [];
  #end = 0;
  #size = 0;

  constructor(symbols: SymbolTable, seed: number) {
    this.symbols = symbols;
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  get heldBytes(): number {
    return this.#names.byteLength * 5 + this.#slots.byteLength;
  }

  /** One more than the largest pair number ever given. */
  get end(): number {
    return this.#end;
  }

  /** The pair, or -1. */
  find(name: string, value: string): number {
    const nameSymbol = this.symbols.find(name);
    if (nameSymbol === undefined) return -1;
    const valueSymbol = this.symbols.find(value);
    return valueSymbol === undefined ? -1 : this.#findSymbols(nameSymbol, valueSymbol);
  }

  /** The pair with one use more, made when it is new; -1 when the symbol table is full. */
  acquire(name: string, value: string): number {
    const known = this.find(name, value);
    if (known >= 0) {
      this.#uses[known] = (this.#uses[known] as number) + 1;
      return known;
    }
    const nameSymbol = this.symbols.acquire(name);
    if (nameSymbol === undefined) return -1;
    const valueSymbol = this.symbols.acquire(value);
    if (valueSymbol === undefined) {
      this.symbols.release(nameSymbol);
      return -1;
    }
    return this.#create(nameSymbol, valueSymbol);
  }

  /** Takes one use away; true when it was the last and the pair is gone. */
  release(pair: number): boolean {
    const uses = (this.#uses[pair] as number) - 1;
    this.#uses[pair] = uses;
    if (uses > 0) return false;
    this.#unlink(pair);
    this.#removeSlot(pair);
    this.symbols.release(this.#names[pair] as number);
    this.symbols.release(this.#values[pair] as number);
    this.#free.push(pair);
    this.#size--;
    return true;
  }

  name(pair: number): string {
    return this.symbols.text(this.#names[pair] as number);
  }

  value(pair: number): string {
    return this.symbols.text(this.#values[pair] as number);
  }

  nameSymbol(pair: number): number {
    return this.#names[pair] as number;
  }

  /** The number of series that carry it. */
  uses(pair: number): number {
    return this.#uses[pair] as number;
  }

  /** All pairs with that name, in no order. */
  *ofName(name: string): Generator<number> {
    const symbol = this.symbols.find(name);
    let pair = symbol === undefined ? undefined : this.#firstOfName.get(symbol);
    while (pair !== undefined && pair !== none) {
      yield pair;
      pair = this.#next[pair] as number;
    }
  }

  #findSymbols(name: number, value: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(name, value) & mask; ; slot = (slot + 1) & mask) {
      const pair = (this.#slots[slot] as number) - 1;
      if (pair < 0) return -1;
      if (this.#names[pair] === name && this.#values[pair] === value) return pair;
    }
  }

  #hash(name: number, value: number): number {
    const mixed = Math.imul(Math.imul(name ^ this.#seed, 0x9e3779b1) ^ value, 0x85ebca6b);
    return mixed ^ (mixed >>> 15);
  }

  #create(name: number, value: number): number {
    const pair = this.#free.pop() ?? this.#end++;
    if (pair === this.#names.length) this.#grow();
    this.#names[pair] = name;
    this.#values[pair] = value;
    this.#uses[pair] = 1;
    const first = this.#firstOfName.get(name) ?? none;
    this.#next[pair] = first;
    this.#previous[pair] = none;
    if (first !== none) this.#previous[first] = pair;
    this.#firstOfName.set(name, pair);
    this.#size++;
    if (this.#size * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    this.#place(pair);
    return pair;
  }

  #unlink(pair: number): void {
    const next = this.#next[pair] as number;
    const previous = this.#previous[pair] as number;
    if (next !== none) this.#previous[next] = previous;
    if (previous !== none) this.#next[previous] = next;
    else if (next !== none) this.#firstOfName.set(this.#names[pair] as number, next);
    else this.#firstOfName.delete(this.#names[pair] as number);
  }

  #place(pair: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#names[pair] as number, this.#values[pair] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = pair + 1;
  }

  /** Takes the pair out and moves later ones of its cluster up, so that no probe meets a gap (Knuth 6.4, R). */
  #removeSlot(pair: number): void {
    const mask = this.#slots.length - 1;
    let gap = this.#hash(this.#names[pair] as number, this.#values[pair] as number) & mask;
    while (this.#slots[gap] !== pair + 1) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const other = (this.#slots[slot] as number) - 1;
      const home = this.#hash(this.#names[other] as number, this.#values[other] as number) & mask;
      if (((slot - home) & mask) >= ((slot - gap) & mask)) {
        this.#slots[gap] = other + 1;
        gap = slot;
      }
    }
    this.#slots[gap] = 0;
  }

  #rehash(slotCount: number): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(slotCount);
    for (const entry of old) if (entry !== 0) this.#place(entry - 1);
  }

  #grow(): void {
    this.#names = grownUints(this.#names);
    this.#values = grownUints(this.#values);
    this.#uses = grownUints(this.#uses);
    this.#next = grownUints(this.#next);
    this.#previous = grownUints(this.#previous);
  }
}
