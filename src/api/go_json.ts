/**
 * JSON text as Go's encoders print it: characters that HTML could mistake are escaped, control characters have no short
 * forms but \n, \r and \t. Clients parse both alike; caches and byte comparisons do not.
 */
// A pair of backslashes is matched as a whole, so that the b after it is not taken for an escape.
const differing = /\\\\|[<>&\u2028\u2029]|\\[bf]/g;
const shortForms: Readonly<Record<string, string>> = { '\\b': '\\u0008', '\\f': '\\u000c' };

function escapeOne(found: string): string {
  if (found === '\\\\') return found;
  return shortForms[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** `value` must be JSON's: undefined at the top is refused. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('undefined has no JSON text');
  return text.replace(differing, escapeOne);
}
