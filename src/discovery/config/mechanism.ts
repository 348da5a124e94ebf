// What the sections of all mechanisms share: a section decodes to an object that names its mechanism, so that
// the union of them can be told apart.
import { decode, type Fields, type ObjectDecoder, type Report, type Scope } from '../../model/index.ts';

/** A mechanism's section: its fields, and a check of what only makes sense together. */
export function mechanism<T extends { readonly mechanism: string }>(
  name: T['mechanism'],
  fields: Fields<Omit<T, 'mechanism'>>,
  check: (value: Omit<T, 'mechanism'>, report: Report, scope: Scope | undefined) => void = () => {},
): ObjectDecoder<T> {
  return decode.section<Omit<T, 'mechanism'>, T>(fields, (raw, report, scope) => {
    check(raw, report, scope);
    // The compiler cannot put back together what Omit took apart.
    return { mechanism: name, ...raw } as unknown as T;
  });
}

export const secondMs = 1000;
export const minuteMs = 60_000;
