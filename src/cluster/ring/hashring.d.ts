/** The part of the untyped `hashring` package (3.2) that the ring uses. */
declare module 'hashring' {
  export default class HashRing {
    constructor(
      servers: Readonly<Record<string, { readonly vnodes: number }>>,
      algorithm?: string,
      options?: { readonly replicas?: number; readonly 'max cache size'?: number },
    );
    /** The first `size` distinct servers clockwise from the key's point. */
    range(key: string, size?: number, unique?: boolean): string[];
  }
}
