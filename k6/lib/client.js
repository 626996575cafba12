// Client: one request to the public API, judged and counted as it comes back.
import http from 'k6/http';
import { sleep } from 'k6';
import { broke, count } from './metrics.js';
import { allowedCodes, url } from './settings.js';
import { judge, OPERATIONS, PASSING } from './verdict.js';

/** Longer than a booking request may wait in line. */
const TIMEOUT = '20s';
const LONGEST_WAIT = 5;

/**
 * Sends it and counts nothing.
 * @param request { at (ids of the route), query, body, key, token, etag, pick (of k6's reply, what is wanted as body when it is a 200) }
 * @returns { status, body, ms, etag, retryAfter, now (the server's time), what (for messages) }
 */
export function send(operation, request) {
  const [method, pattern] = OPERATIONS[operation].route.split(' ');
  const path = pattern.replace(/\{(\w+)\}/g, (_, name) => request.at[name]) + (request.query ?? '');
  const headers = { Accept: 'application/json' };
  if (request.body) headers['Content-Type'] = 'application/json';
  if (request.key) headers['Idempotency-Key'] = request.key;
  if (request.token) headers.Authorization = `Bearer ${request.token}`;
  if (request.etag) headers['If-None-Match'] = request.etag;
  const body = request.body ? JSON.stringify(request.body) : null;
  const tags = { name: OPERATIONS[operation].route };
  const reply = http.request(method, url + path, body, { headers, tags, timeout: TIMEOUT });
  return {
    status: reply.status,
    body: request.pick && reply.status === 200 ? request.pick(reply) : parsed(reply.body),
    ms: reply.timings.duration,
    etag: reply.headers.Etag,
    retryAfter: reply.headers['Retry-After'],
    now: Date.parse(reply.headers.Date),
    what: `${method} ${path} answered ${reply.status} ${String(reply.body ?? '').slice(0, 200)} (X-Request-Id ${reply.headers['X-Request-Id']})`,
  };
}

/** Sends, judges, counts. `base` and `kind`: what it took one buyer alone, in milliseconds by kind, and which kind this is. */
export function call(operation, request, { base, kind, tags } = {}) {
  const reply = send(operation, request);
  const verdict = judge(operation, reply, allowedCodes);
  if (verdict.kind === 'wrong') broke(verdict.reason, reply.what);
  count(verdict, { times: base?.[kind] && reply.ms / base[kind], kind, tags });
  return { ...reply, ...verdict };
}

/** The same request with the same key again, until there is an answer that stays, or `tries` is used up. */
export function insist(operation, request, { tries = 3, ...how } = {}) {
  for (let n = 1; ; n++) {
    const reply = call(operation, request, how);
    const passing = reply.kind === 'unanswered' || (reply.kind === 'refused' && PASSING.includes(reply.code));
    if (!passing || n >= tries) return reply;
    sleep(Math.min(Number(reply.retryAfter) || 0.2 * n, LONGEST_WAIT) * (0.75 + Math.random() / 2));
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
