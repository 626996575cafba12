// Visitor: somebody who looks around, reads the event and what is left, and perhaps books; with the caches of an app.
import exec from 'k6/execution';
import { insist } from './client.js';
import { book, cancel, confirm, person } from './buyer.js';
import { unchanged } from './metrics.js';

/** What this virtual user's app remembers: the ETag of each address. */
const etags = {};

/** A read that sends what it knows; where `same` is told, nothing changes there during the run, so it must be known as unchanged. */
function read(operation, request, { same, ...how }) {
  const address = operation + (request.query ?? '');
  const reply = insist(operation, { ...request, etag: etags[address] }, how);
  if (reply.kind !== 'answer') return;
  if (same && etags[address]) unchanged.add(reply.status === 304);
  if (reply.etag) etags[address] = reply.etag;
}

/**
 * One visit. `mix`: the shares of visitors who book, of those who confirm, and of those who cancel afterwards.
 * What is neither confirmed nor cancelled stays a hold until it ends.
 */
export function visit(stage, mix, tags) {
  const at = { id: stage.sale.eventId };
  const how = { base: stage.base, tags };
  read('search', { at, query: `?q=${stage.run}` }, how);
  read('event', { at }, { ...how, kind: 'read', same: true });
  read('availability', { at }, how);
  if (Math.random() >= mix.book) return;
  const n = exec.scenario.iterationInTest;
  const buyer = person(stage, n);
  const { promise } = book(buyer, [{ ticketTypeId: stage.sale.types[n % 2], quantity: 1 + (n % 2) }], { tags });
  if (!promise || Math.random() >= mix.confirm) return;
  if (confirm(buyer, promise, { tags }).kind !== 'answer') return;
  if (Math.random() < mix.cancel) cancel(buyer, promise, { tags });
}
