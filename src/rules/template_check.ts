/** Whether a label or annotation of an alerting rule is a template that can be expanded at all. */
import { errorText } from '../base/index.ts';
import { prometheusFunctionsForCheck, validateTemplate } from '../template/index.ts';
import { templateVariables } from './alerting_rule.ts';

/** What is wrong with the text, with its line; undefined when nothing is. */
export function checkRuleTemplate(text: string, name = 'template'): string | undefined {
  try {
    validateTemplate(text, prometheusFunctionsForCheck, { name, variables: templateVariables });
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
