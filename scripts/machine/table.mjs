// Table: what the terminal says when everything runs: addresses, accounts, and one line that books a ticket.
import { relative } from 'node:path';
import { logsFolder } from './installation.mjs';
import { dataFolder, root } from './place.mjs';
import { urlToCall } from './settings.mjs';
import { hidden } from '../infra.mjs';

/** @param about settings, infra, demo (rows of label and value), seconds. Long values (the curl line) get a line of their own. */
export function table({ settings, infra, demo, seconds }) {
  const { host, ports, workerPort, publicUrl } = settings;
  const data = infra.postgres || infra.redis ? [{ label: 'Data', value: fromRoot(dataFolder()) }] : [];
  const rows = [
    { label: 'API', value: ports.map((port) => urlToCall(host, port)).join('  ') },
    { label: 'Docs', value: `${publicUrl}/docs` },
    { label: 'Worker', value: `${urlToCall(host, workerPort)}  (health and metrics)` },
    { label: 'Postgres', value: hidden(infra.databaseUrl) },
    { label: 'Redis', value: hidden(infra.redisUrl) },
    ...data,
    { label: 'Logs', value: fromRoot(logsFolder) },
    ...demo,
  ];
  const short = rows.filter(({ value }) => value.length <= 90 && !value.includes('\n'));
  const long = rows.filter((row) => !short.includes(row));
  const width = Math.max(...short.map(({ label }) => label.length));
  return [
    '',
    `Evently runs (after ${seconds.toFixed(1)} s). Ctrl-C stops all of it and keeps the data.`,
    '',
    ...short.map(({ label, value }) => `  ${label.padEnd(width)}  ${value}`),
    ...long.flatMap(({ label, value }) => ['', `  ${label}:`, value]),
    '',
  ].join('\n');
}

function fromRoot(path) {
  const short = relative(root, path);
  return short.startsWith('..') ? path : short;
}
