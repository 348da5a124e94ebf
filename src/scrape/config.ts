// The scrape room's part of prometheus.yml: `global` and the entries of `scrape_configs`.
export type { RelabelAction, RelabelConfig } from '../model/index.ts';
export { globalConfig, type PendingScrapeConfig, scrapeConfig } from './config_decoders.ts';
export type {
  GlobalConfig,
  NameEscapingScheme,
  NameValidationScheme,
  ScrapeConfig,
  ScrapeProtocol,
} from './config_types.ts';
