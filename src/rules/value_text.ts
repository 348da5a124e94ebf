/** An alert's value as Go's strconv.FormatFloat(v, 'e', -1, 64) writes it: `1e+00`, `1.5e-07`, `NaN`. */
export function formatFloatE(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [mantissa = '', exponent = '+0'] = value.toExponential().split('e');
  const sign = Object.is(value, -0) ? '-' : '';
  return `${sign}${mantissa}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`;
}
