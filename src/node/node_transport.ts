/** Actor messages between nodes over the cluster's Deliver call: one way, a reply is a message of its own. */
import { create } from '@bufbuild/protobuf';
import { type ClusterNode, EnvelopeSchema } from '../cluster/index.ts';
import type { NodeTransport } from '../runtime/index.ts';

const deliverDeadlineMs = 5_000;

export class ClusterTransport implements NodeTransport {
  readonly #cluster: ClusterNode;

  constructor(cluster: ClusterNode) {
    this.#cluster = cluster;
  }

  async send(nodeId: string, envelope: Uint8Array): Promise<void> {
    const message = create(EnvelopeSchema, { from: this.#cluster.nodeId, payload: envelope });
    await this.#cluster.client(nodeId).deliver(message, { deadlineMs: deliverDeadlineMs });
  }

  onReceive(handler: (fromNodeId: string, envelope: Uint8Array) => void): void {
    this.#cluster.handle({
      deliver: ({ payload }, { from }) => {
        handler(from, payload);
        return Promise.resolve(create(EnvelopeSchema, { from: this.#cluster.nodeId }));
      },
    });
  }
}
