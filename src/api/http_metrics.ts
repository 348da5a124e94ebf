/** Prometheus' own metrics of its HTTP server, by route pattern, so that paths that clients make up add no series. */
import type { FastifyInstance } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';

const durationSecondsBuckets = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120];
const sizeBytesBuckets = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

interface HttpMetrics {
  readonly requests: Counter;
  readonly duration: Histogram;
  readonly size: Histogram;
}

/** Of the registry, where a server on another address may have put them already. */
function metricsOf(registry: Registry): HttpMetrics {
  const counter = (name: string, help: string): Counter => {
    const known = registry.getSingleMetric(name);
    if (known instanceof Counter) return known;
    return new Counter({ name, help, labelNames: ['handler', 'code'], registers: [registry] });
  };
  const histogram = (name: string, help: string, buckets: number[]): Histogram => {
    const known = registry.getSingleMetric(name);
    if (known instanceof Histogram) return known;
    return new Histogram({ name, help, labelNames: ['handler'], buckets, registers: [registry] });
  };
  return {
    requests: counter('prometheus_http_requests_total', 'Counter of HTTP requests.'),
    duration: histogram(
      'prometheus_http_request_duration_seconds',
      'Histogram of latencies for HTTP requests.',
      durationSecondsBuckets,
    ),
    size: histogram(
      'prometheus_http_response_size_bytes',
      'Histogram of response size for HTTP requests.',
      sizeBytesBuckets,
    ),
  };
}

/** Counts the requests of routes that are added to `app` from now on; unknown paths are not counted. */
export function countRequests(app: FastifyInstance, registry: Registry): void {
  const { requests, duration, size } = metricsOf(registry);
  app.addHook('onResponse', async (request, reply) => {
    const handler = request.routeOptions.url;
    if (request.is404 || handler === undefined) return;
    requests.inc({ handler, code: String(reply.statusCode) });
    duration.observe({ handler }, reply.elapsedTime / 1000);
    size.observe({ handler }, Number(reply.getHeader('content-length') ?? 0));
  });
}
