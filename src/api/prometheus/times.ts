/** The ends of time where a request names none: the first and last that a date can be. */
export const minTimeMs = -8_640_000_000_000_000;
export const maxTimeMs = 8_640_000_000_000_000;
