/** Megabytes of code in each thread, hence not loaded before there is something to send. */
export const loadUndici = (): Promise<typeof import('undici')> => import('undici');
