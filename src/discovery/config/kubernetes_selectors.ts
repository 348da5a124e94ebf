// The syntax of Kubernetes' label and field selectors, checked so that a typo is found when the file is read
// and not when the API server answers. (k8s.io/apimachinery, labels.Parse and fields.ParseSelector)

const name = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/;
const prefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const value = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const partMax = 63;
const prefixMax = 253;

/** Throws an Error when the text is no field selector such as `metadata.name=x,spec.nodeName!=y`. */
export function checkFieldSelector(text: string): void {
  // A backslash escapes a comma or an equals sign within a value.
  for (const term of text.split(/(?<!\\),/)) {
    if (term === '') continue;
    const operator = /(?<!\\)(!=|==|=)/.exec(term);
    if (operator === null) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`);
    const rest = term.slice(operator.index + operator[0].length);
    if (/(?<!\\)=/.test(rest)) throw new Error(`invalid field selector: unescaped character in '${rest}'`);
  }
}

/** Throws an Error when the text is no label selector such as `app=x,tier in (a,b),!legacy`. */
export function checkLabelSelector(text: string): void {
  const trimmed = text.trim();
  if (trimmed === '') return;
  for (const requirement of splitOutsideParentheses(trimmed)) checkRequirement(requirement.trim(), text);
}

function splitOutsideParentheses(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function checkRequirement(requirement: string, whole: string): void {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(requirement);
  if (set !== null) {
    checkKey(set[1] ?? '', whole);
    for (const item of (set[3] ?? '').split(',')) checkValue(item.trim(), whole);
    return;
  }
  const compared = /^([^=!<>\s]+)\s*(==|=|!=|<|>)\s*(\S*)$/.exec(requirement);
  if (compared !== null) {
    checkKey(compared[1] ?? '', whole);
    const numeric = compared[2] === '<' || compared[2] === '>';
    if (numeric && !/^[-+]?[0-9]+$/.test(compared[3] ?? '')) {
      throw new Error(`unable to parse label selector "${whole}": "${compared[3]}" is no integer`);
    }
    checkValue(compared[3] ?? '', whole);
    return;
  }
  const exists = /^!?\s*([^=!<>\s()]+)$/.exec(requirement);
  if (exists === null) throw new Error(`unable to parse label selector "${whole}" at "${requirement}"`);
  checkKey(exists[1] ?? '', whole);
}

function checkKey(key: string, whole: string): void {
  const parts = key.split('/');
  const local = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const domainGood = domain === undefined || (domain.length <= prefixMax && prefix.test(domain));
  if (parts.length > 2 || !domainGood || local.length > partMax || !name.test(local)) {
    throw new Error(`unable to parse label selector "${whole}": invalid label key "${key}"`);
  }
}

function checkValue(text: string, whole: string): void {
  if (text.length > partMax || !value.test(text)) {
    throw new Error(`unable to parse label selector "${whole}": invalid label value "${text}"`);
  }
}
