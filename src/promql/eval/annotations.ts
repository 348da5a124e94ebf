/**
 * Warnings and infos of a query: texts with the position of the expression they are about. A text occurs once, with the
 * position at which it was said last, as in Prometheus.
 */
import { lineAndColumn } from '../errors.ts';
import type { Span } from '../parse/tree.ts';
import { RepairDetail } from './repair_detail.ts';

/** More different annotations than this are not kept. */
const annotationsMax = 1000;

interface Place {
  /** `L:C`. */
  readonly position: string;
  /** What the message says of numbers and times, which differs from one time to the other. */
  readonly detail: string;
  /** Of annotations that say how often they apply; else 0. */
  readonly occurrences: number;
}

const placed = /^(.*?)(?: \((\d+) occurrences\))? \((\d+:\d+)\)$/s;

/** Collects the annotations of one query. `text` is what spans refer to; unknown means one line. */
export class Annotations {
  readonly #text: string | undefined;
  readonly #warnings = new Map<string, Place>();
  readonly #infos = new Map<string, Place>();

  constructor(text: string | undefined) {
    this.#text = text;
  }

  get warnings(): string[] {
    return [...this.#warnings].map(textOf);
  }

  get infos(): string[] {
    return [...this.#infos].map(textOf);
  }

  warn(message: string, span: Span): void {
    this.#add(this.#warnings, `PromQL warning: ${message}`, {
      position: this.#position(span),
      detail: '',
      occurrences: 0,
    });
  }

  /** A warning that also says how often it applied, when that was more than once. */
  warnCounted(message: string, span: Span): void {
    this.#add(this.#warnings, `PromQL warning: ${message}`, {
      position: this.#position(span),
      detail: '',
      occurrences: 1,
    });
  }

  info(message: string, span: Span): void {
    this.#add(this.#infos, `PromQL info: ${message}`, {
      position: this.#position(span),
      detail: '',
      occurrences: 0,
    });
  }

  /** An info with a detail in which all that was said of the same comes together. */
  infoWithDetail(message: string, detail: RepairDetail, span: Span): void {
    this.#add(this.#infos, `PromQL info: ${message}`, {
      position: this.#position(span),
      detail: detail.toString(),
      occurrences: 0,
    });
  }

  /** Texts that are complete already, e.g. from another node. */
  merge(warnings: readonly string[], infos: readonly string[]): void {
    for (const warning of warnings) this.#addText(this.#warnings, warning);
    for (const info of infos) this.#addText(this.#infos, info);
  }

  #addText(map: Map<string, Place>, text: string): void {
    const [, message = text, count = '0', position = ''] = placed.exec(text) ?? [];
    const { before, detail } = RepairDetail.splitFrom(message);
    this.#add(map, before, { position, detail, occurrences: Number(count) });
  }

  #add(map: Map<string, Place>, message: string, place: Place): void {
    const known = map.get(message);
    if (known === undefined && map.size >= annotationsMax) return;
    // Of what has a detail the first place is kept.
    const { position } = known !== undefined && place.detail !== '' ? known : place;
    const occurrences = place.occurrences + (known?.occurrences ?? 0);
    map.set(message, { position, detail: RepairDetail.join(known?.detail ?? '', place.detail), occurrences });
  }

  #position(span: Span): string {
    if (this.#text === undefined) return `1:${span.start + 1}`;
    const { line, column } = lineAndColumn(this.#text, span.start);
    return `${line}:${column}`;
  }
}

function textOf([message, { position, detail, occurrences }]: readonly [string, Place]): string {
  const count = occurrences > 1 ? ` (${occurrences} occurrences)` : '';
  return position === '' ? message : `${message}${detail}${count} (${position})`;
}
