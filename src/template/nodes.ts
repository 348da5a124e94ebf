/** The syntax tree of a template, after Go's text/template/parse. */
import type { TemplateValue } from './value.ts';

export type Operand =
  | { readonly kind: 'literal'; readonly value: TemplateValue; readonly line: number }
  | { readonly kind: 'nil'; readonly line: number }
  | { readonly kind: 'dot'; readonly line: number }
  /** `.A.B` */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly line: number }
  /** `$x.A.B` */
  | {
      readonly kind: 'variable';
      readonly variable: string;
      readonly path: readonly string[];
      readonly line: number;
    }
  | { readonly kind: 'function'; readonly name: string; readonly line: number }
  /** `(pipeline).A.B` */
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly path: readonly string[]; readonly line: number };

export interface Command {
  readonly operands: readonly Operand[];
  readonly line: number;
}

export interface Pipe {
  readonly line: number;
  /** Names without `$`. */
  readonly variables: readonly string[];
  /** `=` instead of `:=`. */
  readonly assign: boolean;
  readonly commands: readonly Command[];
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipe: Pipe;
      readonly body: Block;
      readonly otherwise: Block;
    }
  | {
      readonly kind: 'template';
      readonly name: string;
      readonly pipe: Pipe | undefined;
      readonly line: number;
    }
  | { readonly kind: 'break' | 'continue' };

export type Block = readonly TemplateNode[];
