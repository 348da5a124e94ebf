/** Prometheus' own metrics of its HTTP server, by route pattern, so that paths that clients make up add no series. */
import type { FastifyInstance } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';

const durationSecondsBuckets = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120];
const sizeBytesBuckets = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** Counts the requests of routes that are added to `app` from now on; unknown paths are not counted. */
export function countRequests(app: FastifyInstance, registry: Registry): void {
  const registers = [registry];
  const requests = new Counter({
    name: 'prometheus_http_requests_total',
    help: 'Counter of HTTP requests.',
    labelNames: ['handler', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'prometheus_http_request_duration_seconds',
    help: 'Histogram of latencies for HTTP requests.',
    labelNames: ['handler'],
    buckets: durationSecondsBuckets,
    registers,
  });
  const size = new Histogram({
    name: 'prometheus_http_response_size_bytes',
    help: 'Histogram of response size for HTTP requests.',
    labelNames: ['handler'],
    buckets: sizeBytesBuckets,
    registers,
  });
  app.addHook('onResponse', async (request, reply) => {
    const handler = request.routeOptions.url;
    if (request.is404 || handler === undefined) return;
    requests.inc({ handler, code: String(reply.statusCode) });
    duration.observe({ handler }, reply.elapsedTime / 1000);
    size.observe({ handler }, Number(reply.getHeader('content-length') ?? 0));
  });
}
