/**
 * The canonical text of an expression, as Prometheus prints it: parsing it again gives an equal tree. The
 * distributed planner ships expressions in this form.
 */
import { formatDuration, formatFloat, formatFloatG, isValidLabelName } from '../../model/index.ts';
import { quote } from './literals.ts';
import {
  type AggregateExpr,
  type AtModifier,
  type BinaryExpr,
  type DurationNode,
  type Expr,
  type SubqueryExpr,
  takesParam,
  type VectorSelector,
  writtenArguments,
} from './tree.ts';

export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return expr.isDuration ? printSeconds(expr.value) : formatFloat(expr.value);
    case 'string':
      return quote(expr.value);
    case 'vector':
      return printSelector(expr) + printModifiers(expr);
    case 'matrix': {
      const { selector } = expr;
      const extension = selector.extension === undefined ? '' : ` ${selector.extension}`;
      const range = `[${printDuration(expr.range)}]`;
      return `${printSelector(selector)}${range}${extension}${printAt(selector.at)}${printOffset(selector.offset)}`;
    }
    case 'subquery':
      return printExpr(expr.expr) + printSubqueryRange(expr);
    case 'unary':
      return expr.op + printExpr(expr.expr);
    case 'binary':
      return `${printExpr(expr.lhs)} ${printOperator(expr)} ${printExpr(expr.rhs)}`;
    case 'aggregate':
      return printAggregate(expr);
    case 'call':
      return `${expr.func}(${writtenArguments(expr).map(printExpr).join(', ')})`;
    case 'paren':
      return `(${printExpr(expr.expr)})`;
    case 'remote':
      return `remote(${expr.fragment.id}: ${expr.fragment.text})`;
  }
}

/** Seconds as a duration literal. */
function printSeconds(seconds: number): string {
  const text = formatDuration(Math.round(Math.abs(seconds) * 1000));
  return seconds < 0 ? `-${text}` : text;
}

/** A single literal always prints as a duration, inside arithmetic as it was written. */
function printDuration(node: DurationNode): string {
  return node.kind === 'seconds' ? printSeconds(node.seconds) : printTerm(node);
}

function printTerm(node: DurationNode): string {
  switch (node.kind) {
    case 'seconds':
      return node.isDuration ? printSeconds(node.seconds) : formatFloat(node.seconds);
    case 'step':
    case 'range':
      return `${node.kind}()`;
    case 'wrap':
      return `(${printTerm(node.operand)})`;
    case 'negate':
      return `-${printTerm(node.operand)}`;
    case 'min_of':
    case 'max_of':
      return `${node.kind}(${printTerm(node.left)}, ${printTerm(node.right)})`;
    default:
      return `${printTerm(node.left)} ${node.kind} ${printTerm(node.right)}`;
  }
}

function printAt(at: AtModifier | undefined): string {
  if (at === undefined) return '';
  return at.kind === 'timestamp' ? ` @ ${(at.timestampMs / 1000).toFixed(3)}` : ` @ ${at.kind}()`;
}

function printOffset(offset: DurationNode | undefined): string {
  if (offset === undefined || (offset.kind === 'seconds' && offset.seconds === 0)) return '';
  return ` offset ${printDuration(offset)}`;
}

function printSelector({ name, matchers: all }: VectorSelector): string {
  const matchers = all
    .filter((one) => one.name !== '__name__' || one.type !== '=' || one.value !== name || name === '')
    .map((matcher) => matcher.toString())
    .sort();
  return matchers.length === 0 ? name : `${name}{${matchers.join(',')}}`;
}

function printModifiers(selector: VectorSelector): string {
  const extension = selector.extension === undefined ? '' : ` ${selector.extension}`;
  return `${printAt(selector.at)}${extension}${printOffset(selector.offset)}`;
}

function printLabels(names: readonly string[]): string {
  return names.map((name) => (isValidLabelName(name, 'legacy') ? name : quote(name))).join(', ');
}

/** What stands behind a subquery's expression. */
export function printSubqueryRange(expr: SubqueryExpr): string {
  const step = expr.step === undefined ? '' : printDuration(expr.step);
  return `[${printDuration(expr.range)}:${step}]${printAt(expr.at)}${printOffset(expr.offset)}`;
}

/** What stands before an aggregation's parentheses. */
export function printAggregateHead(expr: AggregateExpr): string {
  if (expr.without) return `${expr.op} without (${printLabels(expr.grouping)}) `;
  return expr.grouping.length > 0 ? `${expr.op} by (${printLabels(expr.grouping)}) ` : expr.op;
}

function printAggregate(expr: AggregateExpr): string {
  const head = printAggregateHead(expr);
  const param = takesParam(expr.op) && expr.param !== undefined ? `${printExpr(expr.param)}, ` : '';
  return `${head}(${param}${printExpr(expr.expr)})`;
}

/** The operator with its modifiers. */
export function printOperator(expr: BinaryExpr): string {
  let text: string = expr.op;
  if (expr.returnBool) text += ' bool';
  const matching = expr.matching;
  if (matching === undefined) return text;
  const grouped = matching.cardinality === 'many-to-one' || matching.cardinality === 'one-to-many';
  if (matching.labels.length > 0 || matching.on || grouped) {
    text += ` ${matching.on ? 'on' : 'ignoring'} (${printLabels(matching.labels)})`;
  }
  if (grouped) {
    const side = matching.cardinality === 'many-to-one' ? 'left' : 'right';
    text += ` group_${side} (${printLabels(matching.include)})`;
  }
  const { fillLeft, fillRight } = matching;
  if (fillLeft !== undefined && fillLeft === fillRight) return `${text} fill (${formatFloatG(fillLeft)})`;
  if (fillLeft !== undefined) text += ` fill_left (${formatFloatG(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatFloatG(fillRight)})`;
  return text;
}
