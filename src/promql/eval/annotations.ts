/**
 * Warnings and infos of a query: texts with the position of the expression they are about, each once.
 */
import { lineAndColumn } from '../errors.ts';
import type { Span } from '../parse/tree.ts';

/** More different annotations than this are not kept. */
const annotationsMax = 1000;

/** Collects the annotations of one query. `text` is what spans refer to; unknown means one line. */
export class Annotations {
  readonly #text: string | undefined;
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();

  constructor(text: string | undefined) {
    this.#text = text;
  }

  get warnings(): string[] {
    return [...this.#warnings];
  }

  get infos(): string[] {
    return [...this.#infos];
  }

  warn(message: string, span: Span): void {
    this.#add(this.#warnings, `PromQL warning: ${message}${this.#position(span)}`);
  }

  info(message: string, span: Span): void {
    this.#add(this.#infos, `PromQL info: ${message}${this.#position(span)}`);
  }

  /** Texts that are complete already, e.g. from another node. */
  merge(warnings: readonly string[], infos: readonly string[]): void {
    for (const warning of warnings) this.#add(this.#warnings, warning);
    for (const info of infos) this.#add(this.#infos, info);
  }

  #add(set: Set<string>, text: string): void {
    if (set.size < annotationsMax) set.add(text);
  }

  #position(span: Span): string {
    if (this.#text === undefined) return ` (1:${span.start + 1})`;
    const { line, column } = lineAndColumn(this.#text, span.start);
    return ` (${line}:${column})`;
  }
}
