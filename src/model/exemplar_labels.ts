/** What an exemplar's own labels may be (OpenMetrics 1.0, section Exemplars; Prometheus holds to it for every source). */
import { DuplicateLabelError, Labels } from './labels.ts';

/** Of all names and values together, in Unicode characters. */
const exemplarCharactersMax = 128;

/** The labels given as name, value, name, value...; undefined when they are too long, or when a name comes twice. */
export function exemplarLabels(pairs: readonly string[]): Labels | undefined {
  let characters = 0;
  const list: [string, string][] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const pair: [string, string] = [pairs[i] as string, pairs[i + 1] as string];
    characters += characterCount(pair[0]) + characterCount(pair[1]);
    if (characters > exemplarCharactersMax) return undefined;
    list.push(pair);
  }
  try {
    return Labels.fromPairs(list);
  } catch (error) {
    if (error instanceof DuplicateLabelError) return undefined;
    throw error;
  }
}

/** A surrogate pair is one character. */
function characterCount(text: string): number {
  // Texts that are too long anyway need not be counted; a character takes two units at most.
  if (text.length > exemplarCharactersMax * 2) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}
