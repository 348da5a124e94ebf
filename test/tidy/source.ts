/** Reads the tree's TypeScript files and what tidy needs of them: imports, functions' lengths, calls. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Expression, parseSync, Visitor } from 'oxc-parser';

export interface ImportOf {
  readonly specifier: string;
  /** The imported file from the repository's root, for relative specifiers. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface FunctionOf {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly ImportOf[];
  readonly functions: readonly FunctionOf[];
  /** `Date.now`, `setTimeout`, ... as they are called or constructed, with lines. */
  readonly calls: readonly { readonly name: string; readonly line: number }[];
  /** True when the file holds nothing but imports and re-exports. */
  readonly onlyReexports: boolean;
}

interface Positioned {
  readonly start: number;
  readonly end: number;
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** `a.b` or `a` of a callee, else ''. */
function calleeName(callee: Expression): string {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier' || callee.computed)
    return '';
  const object = calleeName(callee.object);
  return object === '' ? '' : `${object}.${callee.property.name}`;
}

/** Parses one file. Throws when it is not TypeScript. */
export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message}`);
  const lineOf = lineCounter(text);
  const imports: ImportOf[] = [];
  const functions: FunctionOf[] = [];
  const calls: { name: string; line: number }[] = [];

  const addImport = (specifier: string, typeOnly: boolean, offset: number): void => {
    const relative = specifier.startsWith('.');
    const target = relative ? posix.join(posix.dirname(path), specifier) : undefined;
    imports.push({ specifier, target, typeOnly, line: lineOf(offset) });
  };
  const addFunction = (name: string, node: Positioned): void => {
    const line = lineOf(node.start);
    functions.push({ name, line, lines: lineOf(node.end) - line + 1 });
  };

  new Visitor({
    ImportDeclaration: (node) => addImport(node.source.value, node.importKind === 'type', node.start),
    ExportAllDeclaration: (node) => addImport(node.source.value, node.exportKind === 'type', node.start),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) addImport(node.source.value, node.exportKind === 'type', node.start);
    },
    ImportExpression: (node) => {
      if (node.source.type === 'Literal' && typeof node.source.value === 'string') {
        addImport(node.source.value, false, node.start);
      }
    },
    FunctionDeclaration: (node) => addFunction(node.id?.name ?? 'default', node),
    FunctionExpression: (node) => addFunction(node.id?.name ?? 'function', node),
    ArrowFunctionExpression: (node) => addFunction('arrow', node),
    CallExpression: (node) => calls.push({ name: calleeName(node.callee), line: lineOf(node.start) }),
    NewExpression: (node) => {
      const bare = node.arguments.length === 0 ? '()' : '';
      calls.push({ name: `new ${calleeName(node.callee)}${bare}`, line: lineOf(node.start) });
    },
  }).visit(parsed.program);

  const onlyReexports = parsed.program.body.every(
    (node) =>
      node.type === 'ImportDeclaration' ||
      node.type === 'ExportAllDeclaration' ||
      (node.type === 'ExportNamedDeclaration' && node.declaration === null),
  );
  return { path, lines: lineOf(text.length), imports, functions, calls, onlyReexports };
}

/** Every .ts file below `folders`, parsed. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  const files: SourceFile[] = [];
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(root.length).replace(/^\//, '');
      files.push(parseSource(path, readFileSync(full, 'utf8')));
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
