/** How large a bench is: as its goal says, or as TORCHRING_BENCH_SERIES does. */
export function chosenSeries(goalSeries: number): number {
  const chosen = Number(process.env['TORCHRING_BENCH_SERIES'] ?? 0);
  return chosen > 0 ? chosen : goalSeries;
}

/** `20 k` or `1,500`. */
export function countText(count: number): string {
  return count % 1000 === 0 ? `${count / 1000} k` : count.toLocaleString('en');
}
