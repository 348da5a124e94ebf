/** Which integrations a receiver has, and which of them can't be served yet. */
import type { AlertmanagerConfig, Receiver } from './config.ts';

export interface Integration {
  readonly receiver: string;
  readonly integration: 'webhook';
  readonly index: number;
  readonly sendResolved: boolean;
}

export function integrationsOf(receiver: Receiver): Integration[] {
  return receiver.webhookConfigs.map((config, index) => ({
    receiver: receiver.name,
    integration: 'webhook',
    index,
    sendResolved: config.sendResolved,
  }));
}

/** `pagerdutyConfigs` → `pagerduty_configs`. */
function yamlName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** One line per configured integration that is ignored or can only fail, to be shown when the configuration is loaded. */
export function unsupportedIntegrations(config: AlertmanagerConfig): string[] {
  const lines: string[] = [];
  for (const receiver of config.receivers) {
    for (const [field, value] of Object.entries(receiver)) {
      if (!field.endsWith('Configs') || field === 'webhookConfigs' || !Array.isArray(value)) continue;
      if (value.length === 0) continue;
      lines.push(
        `receiver integration ${yamlName(field)} is not supported yet and is ignored (receiver ${JSON.stringify(receiver.name)})`,
      );
    }
  }
  return lines;
}
