/**
 * Parses templates of Go's text/template: actions, if/else if/with/range/break/continue, define, template and
 * block, pipelines, variables. Unknown functions and variables are refused here, before anything is evaluated.
 */
import { TemplateParseError } from './errors.ts';
import { lexTemplate, type Token, type TokenKind } from './lexer.ts';
import { parseNumber, unquote } from './literals.ts';
import type { Block, Command, Operand, Pipe, TemplateNode } from './nodes.ts';

/** Deepest nesting of actions and parentheses. */
const nestingMax = 100;

export interface ParsedTemplate {
  readonly root: Block;
  /** Bodies of `define` and `block`, by name. */
  readonly definitions: ReadonlyMap<string, Block>;
}

export interface ParserOptions {
  readonly name: string;
  readonly isFunction: (name: string) => boolean;
  /** Variables (without `$`) that exist from the start. */
  readonly variables: readonly string[];
}

const blockWords: ReadonlySet<string> = new Set(['end', 'else']);

/** What stopped a list of nodes. */
type Stop = 'end' | 'else' | 'eof';

class Parser {
  readonly #options: ParserOptions;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #rangeDepth = 0;
  #variables: string[];
  readonly #definitions = new Map<string, Block>();

  constructor(source: string, options: ParserOptions) {
    this.#options = options;
    this.#tokens = lexTemplate(options.name, source);
    this.#variables = ['', ...options.variables];
  }

  parse(): ParsedTemplate {
    const { nodes, stop } = this.#list();
    if (stop !== 'eof') throw this.#fail(`unexpected {{${stop}}}`);
    return { root: nodes, definitions: this.#definitions };
  }

  #fail(reason: string, token: Token = this.#peek()): TemplateParseError {
    return new TemplateParseError(this.#options.name, token.line, reason);
  }

  #peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#at + ahead, last)] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (this.#at < this.#tokens.length) this.#at++;
    return token;
  }

  #space(): void {
    while (this.#peek().kind === 'space') this.#at++;
  }

  #expect(kind: TokenKind, context: string): Token {
    this.#space();
    const token = this.#take();
    if (token.kind !== kind) throw this.#fail(`unexpected ${shown(token)} in ${context}`, token);
    return token;
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > nestingMax) throw this.#fail(`nested deeper than ${nestingMax} levels`);
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Nodes up to `{{end}}`, `{{else` or the end; the stopping keyword is consumed, the rest of its action isn't. */
  #list(): { nodes: TemplateNode[]; stop: Stop } {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const token = this.#take();
      if (token.kind === 'end') return { nodes, stop: 'eof' };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      this.#space();
      const word = this.#peek();
      if (word.kind === 'identifier' && blockWords.has(word.text)) {
        this.#take();
        return { nodes, stop: word.text as Stop };
      }
      const node = this.#action(word);
      if (node !== undefined) nodes.push(node);
    }
  }

  #action(word: Token): TemplateNode | undefined {
    if (word.kind === 'identifier') {
      switch (word.text) {
        case 'if':
        case 'with':
        case 'range':
          this.#take();
          return this.#nested(() => this.#control(word.text as 'if' | 'with' | 'range'));
        case 'define':
          this.#take();
          this.#nested(() => this.#define());
          return undefined;
        case 'block':
          this.#take();
          return this.#nested(() => this.#block(word));
        case 'template':
          this.#take();
          return this.#template(word);
        case 'break':
        case 'continue':
          if (this.#functionAfterBreak()) break;
          this.#take();
          return this.#loopExit(word.text);
        default:
      }
    }
    const pipe = this.#pipeline('command', 'close');
    return { kind: 'action', pipe };
  }

  /** `break` may be a user's function when it is not alone; Go reads it as the keyword only when alone. */
  #functionAfterBreak(): boolean {
    let ahead = 1;
    while (this.#peek(ahead).kind === 'space') ahead++;
    return this.#peek(ahead).kind !== 'close';
  }

  #loopExit(kind: 'break' | 'continue'): TemplateNode {
    if (this.#rangeDepth === 0) throw this.#fail(`{{${kind}}} outside {{range}}`);
    this.#expect('close', kind);
    return { kind };
  }

  #control(kind: 'if' | 'with' | 'range'): TemplateNode {
    const outer = this.#variables;
    this.#variables = [...outer];
    const pipe = this.#pipeline(kind, 'close');
    if (kind === 'range') this.#rangeDepth++;
    const { nodes: body, stop } = this.#list();
    if (kind === 'range') this.#rangeDepth--;
    let otherwise: Block = [];
    if (stop === 'else') otherwise = this.#otherwise(kind);
    else if (stop === 'end') this.#expect('close', 'end');
    else throw this.#fail('unexpected EOF');
    this.#variables = outer;
    return { kind, pipe, body, otherwise };
  }

  /** After `else`: `else if` and `else with` share the outer `end`. */
  #otherwise(kind: 'if' | 'with' | 'range'): Block {
    this.#space();
    const word = this.#peek();
    if (word.kind === 'identifier' && kind !== 'range' && word.text === kind) {
      this.#take();
      return [this.#nested(() => this.#control(kind))];
    }
    this.#expect('close', 'else');
    const { nodes, stop } = this.#list();
    if (stop === 'eof') throw this.#fail('unexpected EOF');
    if (stop === 'else') throw this.#fail('expected end; found {{else}}');
    this.#expect('close', 'end');
    return nodes;
  }

  #stringName(context: string): string {
    const token = this.#expect('string', context);
    return unquote(token.text, (reason) => this.#fail(reason, token));
  }

  #scopedBody(): Block {
    const outer = this.#variables;
    const outerRange = this.#rangeDepth;
    this.#variables = [''];
    this.#rangeDepth = 0;
    const { nodes, stop } = this.#list();
    if (stop === 'eof') throw this.#fail('unexpected EOF');
    if (stop === 'else') throw this.#fail('unexpected {{else}}');
    this.#expect('close', 'end');
    this.#variables = outer;
    this.#rangeDepth = outerRange;
    return nodes;
  }

  #define(): void {
    if (this.#depth > 1) throw this.#fail('unexpected {{define}}');
    const name = this.#stringName('define clause');
    this.#expect('close', 'define clause');
    this.#definitions.set(name, this.#scopedBody());
  }

  #block(word: Token): TemplateNode {
    const name = this.#stringName('block clause');
    const pipe = this.#pipeline('block clause', 'close');
    if (!this.#definitions.has(name)) this.#definitions.set(name, []);
    this.#definitions.set(name, this.#scopedBody());
    return { kind: 'template', name, pipe, line: word.line };
  }

  #template(word: Token): TemplateNode {
    const name = this.#stringName('template clause');
    this.#space();
    if (this.#peek().kind === 'close') {
      this.#take();
      return { kind: 'template', name, pipe: undefined, line: word.line };
    }
    return { kind: 'template', name, pipe: this.#pipeline('template clause', 'close'), line: word.line };
  }

  /** `$a, $b := cmd | cmd`, up to and with the closing token. */
  #pipeline(context: string, end: 'close' | ')'): Pipe {
    this.#space();
    const line = this.#peek().line;
    const { variables, assign } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      this.#space();
      const token = this.#peek();
      if (token.kind === end) {
        this.#take();
        break;
      }
      if (token.kind === 'close' || token.kind === ')') throw this.#fail(`unexpected ${shown(token)}`);
      commands.push(this.#command(context));
      this.#space();
      if (this.#peek().kind === '|') {
        this.#take();
        this.#space();
        const next = this.#peek();
        if (next.kind === end) throw this.#fail(`missing value for ${context}`);
        continue;
      }
      if (this.#peek().kind !== end) throw this.#fail(`unexpected ${shown(this.#peek())} in operand`);
    }
    if (commands.length === 0) throw this.#fail(`missing value for ${context}`);
    this.#checkPipeline(commands);
    if (!assign) this.#variables.push(...variables);
    return { line, variables, assign, commands };
  }

  /** Only functions and methods can take a piped argument. */
  #checkPipeline(commands: readonly Command[]): void {
    for (const [i, command] of commands.entries()) {
      const first = command.operands[0];
      if (i > 0 && (first?.kind === 'literal' || first?.kind === 'nil' || first?.kind === 'dot')) {
        throw new TemplateParseError(
          this.#options.name,
          command.line,
          `non executable command in pipeline stage ${i + 1}`,
        );
      }
    }
  }

  #declarations(context: string): { variables: string[]; assign: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    for (;;) {
      this.#space();
      const token = this.#peek();
      if (token.kind !== 'variable' || token.text === '') break;
      this.#take();
      variables.push(token.text);
      this.#space();
      const next = this.#peek();
      if (next.kind === ':=' || next.kind === '=') {
        this.#take();
        if (variables.length > 1 && context !== 'range')
          throw this.#fail(`too many declarations in ${context}`);
        const assign = next.kind === '=';
        if (assign) for (const name of variables) this.#knownVariable(name, token);
        return { variables, assign };
      }
      if (next.kind !== ',' || context !== 'range' || variables.length > 1) break;
      this.#take();
    }
    this.#at = start;
    return { variables: [], assign: false };
  }

  #knownVariable(name: string, token: Token): void {
    if (!this.#variables.includes(name)) throw this.#fail(`undefined variable "$${name}"`, token);
  }

  #command(context: string): Command {
    const line = this.#peek().line;
    const operands: Operand[] = [];
    for (;;) {
      const operand = this.#operand();
      if (operand === undefined) throw this.#fail(`unexpected ${shown(this.#peek())} in ${context}`);
      operands.push(operand);
      const next = this.#peek();
      if (next.kind !== 'space') return { operands, line };
      this.#space();
      const kind = this.#peek().kind;
      if (kind === '|' || kind === 'close' || kind === ')') return { operands, line };
    }
  }

  #path(): string[] {
    const path: string[] = [];
    while (this.#peek().kind === 'field') path.push(this.#take().text);
    return path;
  }

  #operand(): Operand | undefined {
    const token = this.#peek();
    const line = token.line;
    switch (token.kind) {
      case 'field':
        return { kind: 'field', path: this.#path(), line };
      case 'dot':
        this.#take();
        return { kind: 'dot', line };
      case 'variable':
        this.#take();
        this.#knownVariable(token.text, token);
        return { kind: 'variable', variable: token.text, path: this.#path(), line };
      case '(':
        this.#take();
        return this.#nested(() => {
          const pipe = this.#pipeline('parenthesized pipeline', ')');
          return { kind: 'pipe', pipe, path: this.#path(), line } as const;
        });
      case 'identifier':
        this.#take();
        return this.#word(token);
      case 'string':
        this.#take();
        return { kind: 'literal', value: unquote(token.text, (reason) => this.#fail(reason, token)), line };
      case 'number':
      case 'char':
        this.#take();
        return {
          kind: 'literal',
          value: parseNumber(token.text, (reason) => this.#fail(reason, token)),
          line,
        };
      default:
        return undefined;
    }
  }

  #word(token: Token): Operand {
    const line = token.line;
    if (token.text === 'nil') return { kind: 'nil', line };
    if (token.text === 'true') return { kind: 'literal', value: true, line };
    if (token.text === 'false') return { kind: 'literal', value: false, line };
    if (!this.#options.isFunction(token.text))
      throw this.#fail(`function "${token.text}" not defined`, token);
    return { kind: 'function', name: token.text, line };
  }
}

function shown(token: Token): string {
  if (token.kind === 'end' || token.kind === 'text') return 'EOF';
  if (token.kind === 'close') return '"}}"';
  return `<${token.kind === 'field' ? '.' : token.kind === 'variable' ? '$' : ''}${token.text}>`;
}

/** Throws TemplateParseError. */
export function parseTemplate(source: string, options: ParserOptions): ParsedTemplate {
  return new Parser(source, options).parse();
}
