/** Two thousand lines in each thread that most nodes never run: loaded with the first request. */
export const loadOtlp = (): Promise<typeof import('./otlp/receive.ts')> => import('./otlp/receive.ts');
