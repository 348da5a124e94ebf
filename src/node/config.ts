// The whole of prometheus.yml, composed from the rooms' own sections.
import type { PrometheusConfig } from './config_types.ts';

export type { PrometheusConfig };
