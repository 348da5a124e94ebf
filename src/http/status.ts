/**
 * Node's own HTTP modules, reached without importing them: an import of one runs all of its getters, and that of the
 * global fetch loads another HTTP client and HTTP/2 into each thread, some megabytes that nobody uses.
 */
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** As Go's http.Response.Status has it: `404 Not Found`, or the number alone. */
export function statusText(code: number): string {
  return `${code} ${STATUS_CODES[code] ?? ''}`.trimEnd();
}
