/** What this program calls itself, and what it claims to speak. */
import manifest from '../../package.json' with { type: 'json' };

export const version: string = manifest.version;

/** The Prometheus release whose APIs are served: tools such as Grafana choose their requests by it. */
const prometheusVersion = '3.5.0';

/** The Alertmanager release whose API is served: amtool warns of any other than its own. */
export const alertmanagerVersion = '0.33.1';

/** The data of /api/v1/status/buildinfo. No `features` key, or Grafana takes this for another product. */
export const buildInfo: Readonly<Record<string, string>> = {
  version: prometheusVersion,
  revision: `torchring-${version}`,
  branch: 'main',
  buildUser: '',
  buildDate: '',
  goVersion: `node${process.version}`,
};
