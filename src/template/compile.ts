/**
 * Templates as users write them in rules and notification settings: compiled once, refused early, expanded
 * many times. A library holds the `define`d templates that template files share.
 */
import { builtinFunctions } from './builtins.ts';
import { defaultTemplateLimits, Evaluator, type TemplateLimits } from './evaluate.ts';
import type { Block } from './nodes.ts';
import { type ParsedTemplate, parseTemplate } from './parser.ts';
import type { TemplateFunction, TemplateValue } from './value.ts';

export type TemplateFunctions = Readonly<Record<string, TemplateFunction>>;

export interface CompileOptions {
  /** Named in error messages. */
  readonly name?: string;
  /** Variables (without `$`) given at execution. */
  readonly variables?: readonly string[];
  /** Shared definitions; the text's own ones win. */
  readonly library?: TemplateLibrary;
}

export interface ExecuteOptions {
  readonly variables?: Readonly<Record<string, TemplateValue>>;
  readonly limits?: TemplateLimits;
  readonly signal?: AbortSignal;
  /** Replaces functions of the same name for this execution (time, query). */
  readonly functions?: TemplateFunctions;
}

function functionTable(functions: TemplateFunctions): Map<string, TemplateFunction> {
  return new Map([...Object.entries(builtinFunctions), ...Object.entries(functions)]);
}

export class CompiledTemplate {
  readonly name: string;
  readonly #root: Block;
  readonly #definitions: ReadonlyMap<string, Block>;
  readonly #functions: ReadonlyMap<string, TemplateFunction>;

  constructor(
    name: string,
    parsed: ParsedTemplate,
    functions: ReadonlyMap<string, TemplateFunction>,
    library: TemplateLibrary | undefined,
  ) {
    this.name = name;
    this.#root = parsed.root;
    this.#functions = functions;
    this.#definitions = new Map([...(library?.definitions ?? []), ...parsed.definitions]);
  }

  /** Expands the template. Throws TemplateExecuteError: wrong data, a failing function, or a limit. */
  async execute(data: TemplateValue, options: ExecuteOptions = {}): Promise<string> {
    const functions =
      options.functions === undefined
        ? this.#functions
        : new Map([...this.#functions, ...Object.entries(options.functions)]);
    const evaluator = new Evaluator({
      name: this.name,
      functions,
      definitions: this.#definitions,
      limits: options.limits ?? defaultTemplateLimits,
      signal: options.signal,
    });
    return evaluator.run(this.#root, data, options.variables ?? {});
  }
}

/** Throws TemplateParseError: syntax, unknown function, unknown variable. */
export function compileTemplate(
  text: string,
  functions: TemplateFunctions,
  options: CompileOptions = {},
): CompiledTemplate {
  const table = functionTable(functions);
  const name = options.name ?? 'template';
  const parsed = parseTemplate(text, {
    name,
    isFunction: (candidate) => table.has(candidate),
    variables: options.variables ?? [],
  });
  return new CompiledTemplate(name, parsed, table, options.library);
}

/** Only checks; throws TemplateParseError. */
export function validateTemplate(
  text: string,
  functions: TemplateFunctions,
  options: CompileOptions = {},
): void {
  compileTemplate(text, functions, options);
}

/** Named templates gathered from template files; later ones replace earlier ones. */
export class TemplateLibrary {
  readonly #definitions = new Map<string, Block>();
  readonly #functions: ReadonlyMap<string, TemplateFunction>;

  constructor(functions: TemplateFunctions) {
    this.#functions = functionTable(functions);
  }

  get definitions(): ReadonlyMap<string, Block> {
    return this.#definitions;
  }

  /** Adds a file's definitions. Throws TemplateParseError. */
  add(name: string, text: string): void {
    const parsed = parseTemplate(text, {
      name,
      isFunction: (candidate) => this.#functions.has(candidate),
      variables: [],
    });
    for (const [defined, body] of parsed.definitions) this.#definitions.set(defined, body);
    this.#definitions.set(name, parsed.root);
  }
}
