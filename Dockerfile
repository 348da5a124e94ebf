# One image for every node: the sources as they are, run by Node without a build step.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY proto/gen ./proto/gen
COPY src ./src
COPY docker/announce.ts ./docker/
COPY docker/prometheus.yml /etc/torchring/prometheus.yml
RUN mkdir -p /data /etc/torchring/targets && chown node:node /data /etc/torchring/targets
USER node
VOLUME /data
# HTTP API, Alertmanager API, pushgateway, other nodes
EXPOSE 9090 9093 9091 7946
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/-/healthy').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/app/bin/torchring"]
CMD ["node", "--config.file=/etc/torchring/prometheus.yml", "--storage.tsdb.path=/data"]
