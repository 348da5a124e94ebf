/**
 * What Prometheus would say about a text that the grammar refused. The grammar only tells where it stumbled;
 * reading the tokens up to there finds bad characters and unclosed brackets, and anything else becomes
 * "unexpected TOKEN in CONTEXT, expected WHAT".
 */
import type { SyntaxNode } from '@lezer/common';
import { ParseError } from '../errors.ts';
import { isFunctionName } from '../functions/signatures.ts';
import { type Token, type TokenPrefix, tokensUntil } from './tokens.ts';

/** The grammar gives up somewhere beyond so many open brackets or signs, by what stands between them. */
const nestingSafe = 400;

/** The error for a text that makes no sense at `failedAt`; `error` is the first error node of its tree, where known. */
export function diagnose(text: string, failedAt: number, error: SyntaxNode | undefined): ParseError {
  let prefix: TokenPrefix;
  try {
    prefix = tokensUntil(text, error?.from ?? failedAt);
  } catch (lexical) {
    if (lexical instanceof ParseError) return lexical;
    throw lexical;
  }
  const { tokens, at, open } = prefix;
  const previous = tokens.at(-1);
  const signs = tokens.length - 1 - tokens.findLastIndex(({ text: word }) => word !== '-' && word !== '+');
  if (open.length > nestingSafe || signs > nestingSafe) {
    return new ParseError(text, at?.start ?? text.length, 'expression is nested too deeply');
  }
  if (at === undefined && previous === undefined)
    return new ParseError(text, 0, 'no expression found in input');
  if (at?.text === '(' && previous !== undefined && isCallable(previous)) {
    const reason = `unknown function with name ${JSON.stringify(previous.text)}`;
    return new ParseError(text, previous.start, reason);
  }
  if (at?.text === ')' && previous?.text === ',' && error?.parent?.name === 'FunctionCallBody') {
    return new ParseError(text, previous.start, 'trailing commas not allowed in function call args');
  }
  const unclosed = at === undefined ? unclosedMessages[open.at(-1) ?? ''] : undefined;
  if (unclosed !== undefined) return new ParseError(text, text.length, unclosed);
  const shown = at === undefined ? 'end of input' : at.shown;
  const context = contextOf(error, previous?.text, open.at(-1));
  return new ParseError(text, at?.start ?? text.length, `unexpected ${shown}${context}`);
}

function isCallable(token: Token): boolean {
  return token.shown.startsWith('identifier') && !isFunctionName(token.text);
}

const unclosedMessages: Readonly<Record<string, string>> = {
  '(': 'unclosed left parenthesis',
  '[': 'unexpected end of input in duration expression',
  '{': 'unexpected end of input inside braces',
};

/** Where the error sits, as Prometheus phrases it. */
function contextOf(
  error: SyntaxNode | undefined,
  previous: string | undefined,
  inside: string | undefined,
): string {
  if (inside === '[') return ' in subquery or range selector, expected number, duration, step(), or range()';
  for (let node = error?.parent ?? null; node !== null; node = node.parent) {
    switch (node.name) {
      case 'UnquotedLabelMatcher':
      case 'QuotedLabelMatcher':
        return node.getChild('MatchOp') === null
          ? ' in label matching, expected label matching operator'
          : ' in label matching, expected string';
      case 'LabelMatchers':
        return node.firstChild === null || node.firstChild.type.isError
          ? ' in label matching, expected identifier or "}"'
          : ' in label matching, expected "," or "}"';
      case 'GroupingLabels':
        return groupingContext(previous);
      case 'AggregateModifier':
        return ' in grouping opts, expected "("';
      case 'AggregateExpr':
        return ' in aggregation';
      case 'OffsetExpr':
        return ' in offset, expected number, duration, step(), or range()';
      case 'StepInvariantExpr':
        return ' in @, expected timestamp';
      case 'FunctionCallBody':
      case 'ParenExpr':
      case 'PromQL':
        return '';
    }
  }
  return '';
}

function groupingContext(previous: string | undefined): string {
  if (previous === '(' || previous === ',') return ' in grouping opts, expected label';
  return previous === 'by' || previous === 'without'
    ? ' in grouping opts, expected "("'
    : ' in grouping opts, expected "," or ")"';
}
