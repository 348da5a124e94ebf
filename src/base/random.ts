import { randomFillSync } from 'node:crypto';

/** Randomness as an argument, so that a seed reproduces a whole cluster. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
}

/** sfc32 (PractRand, Chris Doty-Humphrey): small, fast, passes BigCrush. */
export function seededRandom(seed: number): Random {
  let a = seed | 0;
  let b = Math.imul(seed, 0x9e3779b1) | 0;
  let c = (seed ^ 0x5bd1e995) | 0;
  let counter = 1;
  const nextUint32 = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) nextUint32();
  const next = (): number => nextUint32() / 0x1_0000_0000;
  return { next, below: (bound) => Math.floor(next() * bound) };
}

/** Seeded from the operating system. Not for secrets. */
export function systemRandom(): Random {
  return seededRandom(randomFillSync(new Int32Array(1))[0] ?? 1);
}

/** Reorders `items` in place (Fisher-Yates). */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = items[i] as T;
    items[i] = items[j] as T;
    items[j] = held;
  }
  return items;
}
