/**
 * The tokens of the two text formats, as Prometheus' scanners cut them (model/textparse, promlex.l and openmetricslex.l):
 * the longest match of the state's patterns. A scanner that fails stops at the byte that fits none of them, which is what
 * the complaint shows. One character of the text is one byte.
 */
export type Token =
  | 'INVALID'
  | 'EOF'
  | 'LINEBREAK'
  | 'WHITESPACE'
  | 'HELP'
  | 'TYPE'
  | 'UNIT'
  | 'EOFWORD'
  | 'TEXT'
  | 'COMMENT'
  | 'MNAME'
  | 'QSTRING'
  | 'BOPEN'
  | 'BCLOSE'
  | 'LNAME'
  | 'LVALUE'
  | 'COMMA'
  | 'EQUAL'
  | 'TIMESTAMP'
  | 'VALUE';

type State =
  | 'init'
  | 'comment'
  | 'name'
  | 'text'
  | 'labels'
  | 'labelValue'
  | 'value'
  | 'timestamp'
  | 'exemplar'
  | 'exemplarValue'
  | 'exemplarTimestamp';

/** What a match means: a token, and the state after it. Without a token the scanner goes on. */
type Rule = readonly [pattern: RegExp, token: Token | undefined, next?: State];

type Rules = Readonly<Partial<Record<State, readonly Rule[]>>>;
/** What becomes of a place where no pattern matches: a token, where the scanner then stands, and in which state. */
type Failed = (at: number, state: State) => readonly [Token, number, State];

export interface Lexer {
  readonly text: string;
  /** Of the last token. */
  readonly start: number;
  /** After the last token, or where the scanner failed. */
  readonly at: number;
  readonly token: string;
  next(): Token;
}

class RuleLexer implements Lexer {
  readonly text: string;
  start = 0;
  at = 0;
  #state: State = 'init';
  readonly #rules: Rules;
  readonly #failed: Failed;

  constructor(text: string, rules: Rules, failed: Failed) {
    this.text = text;
    this.#rules = rules;
    this.#failed = failed;
  }

  get token(): string {
    return this.text.slice(this.start, this.at);
  }

  next(): Token {
    this.start = this.at;
    if (this.at >= this.text.length) return 'EOF';
    for (;;) {
      const found = this.#longest();
      if (found === undefined) {
        const [token, at, state] = this.#failed(this.at, this.#state);
        this.at = at;
        this.#state = state;
        return token;
      }
      const [length, [, token, next]] = found;
      this.at += length;
      this.#state = next ?? this.#state;
      if (token !== undefined) return token;
    }
  }

  #longest(): readonly [number, Rule] | undefined {
    let best: readonly [number, Rule] | undefined;
    for (const rule of this.#rules[this.#state] ?? []) {
      rule[0].lastIndex = this.at;
      const length = rule[0].exec(this.text)?.[0].length ?? -1;
      if (length > (best?.[0] ?? -1)) best = [length, rule];
    }
    return best;
  }
}

const blanks: Rule = [/[ \t]+/y, 'WHITESPACE'];
const metricName = /[a-zA-Z_:][a-zA-Z_:0-9]*/y;
const labelName = /[a-zA-Z_][a-zA-Z_0-9]*/y;
const quotedText = /"(?:\\.|[^\\"])*"/y;
const quotedLine = /"(?:\\.|[^\\"\n])*"/y;

const textRules: Rules = {
  init: [
    [/\0/y, 'EOF'],
    [/\n/y, 'LINEBREAK'],
    blanks,
    [/#[ \t]+/y, undefined, 'comment'],
    [/#(?![ \t])[^\n]*/y, 'COMMENT'],
    [metricName, 'MNAME', 'value'],
    [/\{/y, 'BOPEN', 'labels'],
  ],
  comment: [blanks, [/HELP[\t ]+/y, 'HELP', 'name'], [/TYPE[\t ]+/y, 'TYPE', 'name']],
  name: [blanks, [quotedText, 'MNAME', 'text'], [metricName, 'MNAME', 'text']],
  text: [blanks, [/[^\n]*/y, 'TEXT', 'init']],
  value: [blanks, [/\{/y, 'BOPEN', 'labels'], [/[^{ \t\n\0]+/y, 'VALUE', 'timestamp']],
  labels: [
    blanks,
    [labelName, 'LNAME'],
    [quotedText, 'QSTRING'],
    [/\}/y, 'BCLOSE', 'value'],
    [/=/y, 'EQUAL', 'labelValue'],
    [/,/y, 'COMMA'],
  ],
  labelValue: [blanks, [quotedText, 'LVALUE', 'labels']],
  timestamp: [blanks, [/\d+/y, 'TIMESTAMP'], [/\n/y, 'LINEBREAK', 'init']],
};

const openRules: Rules = {
  init: [
    [/# /y, undefined, 'comment'],
    [metricName, 'MNAME', 'value'],
    [/\{/y, 'BOPEN', 'labels'],
  ],
  comment: [
    [/HELP /y, 'HELP', 'name'],
    [/TYPE /y, 'TYPE', 'name'],
    [/UNIT /y, 'UNIT', 'name'],
    [/EOF\n?/y, 'EOFWORD', 'init'],
  ],
  name: [
    [quotedText, 'MNAME', 'text'],
    [metricName, 'MNAME', 'text'],
  ],
  text: [[/ [^\n]*\n/y, 'TEXT', 'init']],
  value: [
    [/\{/y, 'BOPEN', 'labels'],
    [/ [^ \n\0]+/y, 'VALUE', 'timestamp'],
  ],
  labels: [
    [labelName, 'LNAME'],
    [quotedText, 'QSTRING'],
    [/\}/y, 'BCLOSE', 'value'],
    [/=/y, 'EQUAL', 'labelValue'],
    [/,/y, 'COMMA'],
  ],
  labelValue: [[quotedLine, 'LVALUE', 'labels']],
  timestamp: [
    [/ [^ \n\0]+/y, 'TIMESTAMP'],
    [/\n/y, 'LINEBREAK', 'init'],
    [/ # \{/y, 'COMMENT', 'exemplar'],
    // The scanner doesn't go back to the shorter match.
    [/ # (?!\{)/y, 'INVALID'],
  ],
  exemplar: [
    [labelName, 'LNAME'],
    [quotedLine, 'QSTRING'],
    [/\}/y, 'BCLOSE', 'exemplarValue'],
    [/=/y, 'EQUAL', 'exemplarValue'],
    [/,/y, 'COMMA'],
  ],
  exemplarValue: [
    [quotedLine, 'LVALUE', 'exemplar'],
    [/ [^ \n\0]+/y, 'VALUE', 'exemplarTimestamp'],
  ],
  exemplarTimestamp: [
    [/ [^ \n\0]+/y, 'TIMESTAMP'],
    [/\n/y, 'LINEBREAK', 'init'],
  ],
};

/** How far a scanner gets into what could have become a token. */
const begunText: Readonly<Partial<Record<State, RegExp>>> = {
  name: /"(?:\\.|[^\\"])*\\?/y,
  labels: /"(?:\\.|[^\\"])*\\?/y,
  labelValue: /"(?:\\.|[^\\"])*\\?/y,
};

const begunOpen: Readonly<Partial<Record<State, RegExp>>> = {
  init: /#/y,
  comment: /HELP?|HE?|TYPE?|TY?|UNIT?|UN?|EO?/y,
  name: /"(?:\\.|[^\\"])*\\?/y,
  text: / [^\n]*/y,
  value: / /y,
  labels: /"(?:\\.|[^\\"])*\\?/y,
  labelValue: /"(?:\\.|[^\\"\n])*\\?/y,
  timestamp: / /y,
  exemplar: /"(?:\\.|[^\\"\n])*\\?/y,
  exemplarValue: /"(?:\\.|[^\\"\n])*\\?| /y,
  exemplarTimestamp: / /y,
};

function stopped(text: string, at: number, pattern: RegExp | undefined): number {
  if (pattern === undefined) return at;
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

/** Of text 0.0.4 and 1.0.0. A comment that is neither HELP nor TYPE reaches to the end of its line. */
export const textLexer = (text: string): Lexer =>
  new RuleLexer(text, textRules, (at, state) => {
    if (state !== 'comment') return ['INVALID', stopped(text, at, begunText[state]), state];
    const end = text.indexOf('\n', at);
    return ['COMMENT', end < 0 ? text.length : end, 'init'];
  });

export const openMetricsLexer = (text: string): Lexer =>
  new RuleLexer(text, openRules, (at, state) => ['INVALID', stopped(text, at, begunOpen[state]), state]);
