import { CodedError } from '../base/index.ts';

/** The template's text is wrong: `template: NAME:LINE: reason`. Found when it is compiled. */
export class TemplateParseError extends CodedError {
  override readonly name = 'TemplateParseError';
  readonly line: number;

  constructor(template: string, line: number, reason: string) {
    super('template_parse', `template: ${template}:${line}: ${reason}`);
    this.line = line;
  }
}

/** The template could not be expanded with this data: wrong types, a failing function, or a limit. */
export class TemplateExecuteError extends CodedError {
  override readonly name = 'TemplateExecuteError';

  constructor(template: string, line: number, reason: string, options?: { cause?: unknown }) {
    super('template_execute', `template: ${template}:${line}: ${reason}`, options);
  }
}

/** Thrown inside functions and formatting, without a position; the evaluator adds it. */
export class TemplateValueError extends Error {
  override readonly name = 'TemplateValueError';
}
