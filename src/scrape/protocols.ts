/** The orders in which formats are asked for where the configuration names none. Known by identity: a user may write one too. */
import type { ScrapeProtocol } from './config_types.ts';

export const defaultProtocols: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];

export const protoFirstProtocols: readonly ScrapeProtocol[] = ['PrometheusProto', ...defaultProtocols];
