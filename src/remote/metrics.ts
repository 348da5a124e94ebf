/** What is counted about remote write requests, by Prometheus' own names where it has them. */
import { Counter, type Registry } from 'prom-client';

export interface RemoteWriteMetrics {
  /** Samples refused because of their series' labels. */
  readonly invalidLabels: Counter;
  /** Samples that were taken, by protocol. */
  readonly samples: Counter<'protocol'>;
  /** Samples that were refused for good, by protocol. */
  readonly refused: Counter<'protocol'>;
}

export function createRemoteWriteMetrics(registry: Registry): RemoteWriteMetrics {
  const registers = [registry];
  return {
    invalidLabels: new Counter({
      name: 'prometheus_api_remote_write_invalid_labels_samples_total',
      help: 'The total number of received remote write samples and histogram samples which were rejected due to invalid labels.',
      registers,
    }),
    samples: new Counter({
      name: 'torchring_remote_write_samples_total',
      help: 'Samples and histograms that were taken from senders, those that were there already included.',
      labelNames: ['protocol'],
      registers,
    }),
    refused: new Counter({
      name: 'torchring_remote_write_refused_samples_total',
      help: 'Samples and histograms of senders that were refused for good.',
      labelNames: ['protocol'],
      registers,
    }),
  };
}
