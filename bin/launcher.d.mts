/** What of launcher.mjs is of use to TypeScript. */

/** With which Node runs a node. */
export declare const nodeFlags: readonly string[];
