/**
 * Walks a template's tree and writes its output. Asynchronous because `query` is. A template is anybody's
 * text, so everything it can do is counted: nodes and function calls are charged against `workMax`, the output
 * and every intermediate text are bounded, nesting of templates too.
 */
import { errorText } from '../base/index.ts';
import { TemplateExecuteError, TemplateValueError } from './errors.ts';
import { BoundedText, formatOutput } from './format.ts';
import type { Block, Command, Operand, Pipe, TemplateNode } from './nodes.ts';
import {
  type CallContext,
  isTrue,
  type TemplateFunction,
  TemplateList,
  TemplateMap,
  TemplateStruct,
  type TemplateValue,
  typeName,
} from './value.ts';

export interface TemplateLimits {
  /** UTF-16 units of output and of any text on the way. */
  readonly outputLengthMax: number;
  /** Nodes visited plus the cost of functions. */
  readonly workMax: number;
  /** `{{template}}` inside `{{template}}`. */
  readonly depthMax: number;
}

export const defaultTemplateLimits: TemplateLimits = {
  outputLengthMax: 1 << 20,
  workMax: 200_000,
  depthMax: 100,
};

export interface Environment {
  readonly name: string;
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly definitions: ReadonlyMap<string, Block>;
  readonly limits: TemplateLimits;
  readonly signal: AbortSignal | undefined;
}

interface Scope {
  readonly name: string;
  value: TemplateValue;
}

/** How a block ended. */
type Flow = 'next' | 'break' | 'continue';

interface ExecutionFrame {
  /** Innermost last; cut back when a block ends. */
  readonly scopes: Scope[];
  readonly depth: number;
}

export class Evaluator implements CallContext {
  readonly #env: Environment;
  readonly #out: BoundedText;
  readonly textLengthMax: number;
  readonly signal: AbortSignal | undefined;
  #work = 0;
  #line = 1;

  constructor(env: Environment) {
    this.#env = env;
    this.#out = new BoundedText(env.limits.outputLengthMax);
    this.textLengthMax = env.limits.outputLengthMax;
    this.signal = env.signal;
  }

  charge(units: number): void {
    this.#work += units;
    if (this.#work > this.#env.limits.workMax) throw new TemplateValueError('template takes too many steps');
  }

  /** Throws TemplateExecuteError. */
  async run(
    root: Block,
    data: TemplateValue,
    variables: Readonly<Record<string, TemplateValue>>,
  ): Promise<string> {
    const scopes: Scope[] = [{ name: '', value: data }];
    for (const [name, value] of Object.entries(variables)) scopes.push({ name, value });
    try {
      await this.#block(root, data, { scopes, depth: 0 });
    } catch (cause) {
      throw new TemplateExecuteError(this.#env.name, this.#line, errorText(cause), { cause });
    }
    return this.#out.toString();
  }

  async #block(nodes: Block, dot: TemplateValue, frame: ExecutionFrame): Promise<Flow> {
    const mark = frame.scopes.length;
    let flow: Flow = 'next';
    for (const node of nodes) {
      this.charge(1);
      flow = await this.#node(node, dot, frame);
      if (flow !== 'next') break;
    }
    frame.scopes.length = mark;
    return flow;
  }

  async #node(node: TemplateNode, dot: TemplateValue, frame: ExecutionFrame): Promise<Flow> {
    switch (node.kind) {
      case 'text':
        this.#out.add(node.text);
        return 'next';
      case 'action': {
        const value = await this.#pipe(node.pipe, dot, frame);
        if (node.pipe.variables.length === 0) this.#out.add(formatOutput(value, this.textLengthMax));
        return 'next';
      }
      case 'if':
      case 'with': {
        const mark = frame.scopes.length;
        const value = await this.#pipe(node.pipe, dot, frame);
        const inner = node.kind === 'with' ? value : dot;
        const flow = isTrue(value)
          ? await this.#block(node.body, inner, frame)
          : await this.#block(node.otherwise, dot, frame);
        frame.scopes.length = mark;
        return flow;
      }
      case 'range':
        return this.#range(node, dot, frame);
      case 'template':
        await this.#template(node, dot, frame);
        return 'next';
      default:
        return node.kind;
    }
  }

  async #template(
    node: TemplateNode & { kind: 'template' },
    dot: TemplateValue,
    frame: ExecutionFrame,
  ): Promise<void> {
    this.#line = node.line;
    const body = this.#env.definitions.get(node.name);
    if (body === undefined) throw new TemplateValueError(`template "${node.name}" not defined`);
    if (frame.depth >= this.#env.limits.depthMax)
      throw new TemplateValueError('exceeded maximum template depth');
    const data = node.pipe === undefined ? null : await this.#pipe(node.pipe, dot, frame);
    await this.#block(body, data, { scopes: [{ name: '', value: data }], depth: frame.depth + 1 });
  }

  async #range(
    node: TemplateNode & { kind: 'range' | 'if' | 'with' },
    dot: TemplateValue,
    frame: ExecutionFrame,
  ): Promise<Flow> {
    const mark = frame.scopes.length;
    const { variables, assign } = node.pipe;
    const value = await this.#pipe({ ...node.pipe, variables: [] }, dot, frame);
    let any = false;
    for (const [key, item] of rangeOver(value)) {
      any = true;
      this.charge(1);
      const bound = variables.length > 1 ? [key, item] : [item];
      for (const [i, name] of variables.entries()) this.#bind(name, bound[i] ?? null, assign, frame);
      const flow = await this.#block(node.body, item, frame);
      frame.scopes.length = mark;
      if (flow === 'break') break;
    }
    if (!any) {
      const flow = await this.#block(node.otherwise, dot, frame);
      frame.scopes.length = mark;
      return flow;
    }
    return 'next';
  }

  #bind(name: string, value: TemplateValue, assign: boolean, frame: ExecutionFrame): void {
    if (!assign) {
      frame.scopes.push({ name, value });
      return;
    }
    const scope = frame.scopes.findLast((candidate) => candidate.name === name);
    if (scope === undefined) throw new TemplateValueError(`undefined variable: $${name}`);
    scope.value = value;
  }

  async #pipe(pipe: Pipe, dot: TemplateValue, frame: ExecutionFrame): Promise<TemplateValue> {
    this.#line = pipe.line;
    let value: TemplateValue | undefined;
    for (const command of pipe.commands) value = await this.#command(command, dot, frame, value);
    const result = value ?? null;
    const name = pipe.variables[0];
    if (name !== undefined) this.#bind(name, result, pipe.assign, frame);
    return result;
  }

  async #command(
    command: Command,
    dot: TemplateValue,
    frame: ExecutionFrame,
    piped: TemplateValue | undefined,
  ): Promise<TemplateValue> {
    this.charge(1);
    const first = command.operands[0] as Operand;
    const rest = command.operands.slice(1);
    if (first.kind === 'function') return this.#function(first.name, rest, dot, frame, piped);
    if (first.kind === 'nil') throw new TemplateValueError('nil is not a command');
    const hasArgs = rest.length > 0 || piped !== undefined;
    if (!hasArgs) return this.#operand(first, dot, frame);
    const path = 'path' in first ? first.path : [];
    const method = path.at(-1);
    if (method === undefined) throw new TemplateValueError("can't give argument to non-function");
    const receiver = await this.#operand({ ...first, path: path.slice(0, -1) } as Operand, dot, frame);
    const args = await this.#arguments(rest, dot, frame, piped);
    return this.#field(receiver, method, args);
  }

  async #arguments(
    operands: readonly Operand[],
    dot: TemplateValue,
    frame: ExecutionFrame,
    piped: TemplateValue | undefined,
  ): Promise<TemplateValue[]> {
    const args: TemplateValue[] = [];
    for (const operand of operands) args.push(await this.#operand(operand, dot, frame));
    if (piped !== undefined) args.push(piped);
    return args;
  }

  async #function(
    name: string,
    operands: readonly Operand[],
    dot: TemplateValue,
    frame: ExecutionFrame,
    piped: TemplateValue | undefined,
  ): Promise<TemplateValue> {
    const target = this.#env.functions.get(name);
    if (target === undefined) throw new TemplateValueError(`"${name}" is not a defined function`);
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, operands, dot, frame, piped);
    return this.#call(name, target, await this.#arguments(operands, dot, frame, piped));
  }

  async #shortCircuit(
    name: 'and' | 'or',
    operands: readonly Operand[],
    dot: TemplateValue,
    frame: ExecutionFrame,
    piped: TemplateValue | undefined,
  ): Promise<TemplateValue> {
    if (operands.length === 0 && piped === undefined) throw wrongCount(name, 'at least 1', 0);
    let value: TemplateValue = null;
    for (const operand of operands) {
      value = await this.#operand(operand, dot, frame);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped ?? value;
  }

  async #call(
    name: string,
    target: TemplateFunction,
    args: readonly TemplateValue[],
  ): Promise<TemplateValue> {
    const { argsMin, argsMax } = target;
    if (args.length < argsMin || args.length > argsMax) {
      throw wrongCount(name, argsMin === argsMax ? String(argsMin) : `at least ${argsMin}`, args.length);
    }
    this.charge(1);
    this.signal?.throwIfAborted();
    let value: TemplateValue;
    try {
      value = await target.call(args, this);
    } catch (cause) {
      throw new TemplateValueError(`error calling ${name}: ${errorText(cause)}`, { cause });
    }
    if (typeof value === 'string' && value.length > this.textLengthMax) {
      throw new TemplateValueError(`result of ${name} exceeds ${this.textLengthMax} characters`);
    }
    return value;
  }

  async #operand(operand: Operand, dot: TemplateValue, frame: ExecutionFrame): Promise<TemplateValue> {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'nil':
        return null;
      case 'dot':
        return dot;
      case 'field':
        return this.#path(dot, operand.path);
      case 'variable': {
        const scope = frame.scopes.findLast((candidate) => candidate.name === operand.variable);
        if (scope === undefined) throw new TemplateValueError(`undefined variable: $${operand.variable}`);
        return this.#path(scope.value, operand.path);
      }
      case 'pipe':
        return this.#path(await this.#pipe(operand.pipe, dot, frame), operand.path);
      case 'function':
        return this.#function(operand.name, [], dot, frame, undefined);
    }
  }

  async #path(start: TemplateValue, path: readonly string[]): Promise<TemplateValue> {
    let value = start;
    for (const name of path) value = await this.#field(value, name, []);
    return value;
  }

  async #field(value: TemplateValue, name: string, args: readonly TemplateValue[]): Promise<TemplateValue> {
    this.charge(1);
    if (value === null) throw new TemplateValueError(`nil data; no entry for key "${name}"`);
    if (typeof value !== 'object') {
      throw new TemplateValueError(`can't evaluate field ${name} in type ${typeName(value)}`);
    }
    const methods = value.methods;
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (method !== undefined) return this.#call(name, method, args);
    if (args.length > 0)
      throw new TemplateValueError(`${name} has arguments but cannot be invoked as function`);
    if (value instanceof TemplateMap) return value.get(name);
    const field = value instanceof TemplateStruct ? value.fields.get(name) : undefined;
    if (field === undefined)
      throw new TemplateValueError(`can't evaluate field ${name} in type ${typeName(value)}`);
    return field;
  }
}

function wrongCount(name: string, want: string, got: number): TemplateValueError {
  return new TemplateValueError(`wrong number of args for ${name}: want ${want} got ${got}`);
}

function* rangeOver(value: TemplateValue): Generator<[TemplateValue, TemplateValue]> {
  if (value === null) return;
  if (value instanceof TemplateList) {
    for (const [i, item] of value.items.entries()) yield [BigInt(i), item];
  } else if (value instanceof TemplateMap) {
    for (const key of value.sortedKeys()) yield [key, value.get(key)];
  } else if (typeof value === 'bigint') {
    for (let i = 0n; i < value; i++) yield [i, i];
  } else {
    throw new TemplateValueError(`range can't iterate over ${typeName(value)}`);
  }
}
