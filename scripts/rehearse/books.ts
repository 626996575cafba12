// Books: what Evently says in the end about every booking: read back one by one, listed by the organizer, counted, and summed in its report.
import { jsonOf, sleep, now, type Client, type Exchange } from './client.js';
import { readBooking } from './buyer.js';
import { eachOf } from './concurrency.js';
import { bookingIn, type BookingView, type Ledger } from './ledger.js';
import { ask, insist, isStored, type Insistence } from './patience.js';
import type { Dice } from './dice.js';
import { UsageError } from './options.js';
import type { Money, Scene } from './stage.js';
import type { Sample, Watch } from './watch.js';

export interface Listed {
  booking: BookingView;
  page: Exchange;
}

export interface SalesRow {
  month: string;
  bookings: number;
  cancelled: number;
  revenue: Money;
}

export interface Books {
  listed: Listed[];
  inventory: Sample;
  seats?: { states: Map<string, string>; exchange: Exchange };
  sales?: SalesRow[];
  salesExchange: Exchange;
}

const replaysAtMost = 3_000;
const atATime = 32;
const reportPatienceMs = 15_000;

/** Sends again, with their keys, as many of the finished steps as is bearable: invariant 3 is judged by the answers. */
export async function replaySteps(client: Client, ledger: Ledger, dice: Dice, how: Insistence): Promise<void> {
  const finished = ledger.intents.flatMap((intent) => intent.steps()).filter((step) => step.answer && isStored(step.answer));
  const chosen =
    finished.length <= replaysAtMost ? finished : finished.filter(() => dice.next() < replaysAtMost / finished.length);
  await eachOf(chosen, atATime, async (step) => {
    await insist(client, step, how);
  });
}

export async function readBooks(
  client: Client,
  { scene, ledger, watch }: { scene: Scene; ledger: Ledger; watch: Watch },
  how: Insistence,
): Promise<Books> {
  await eachOf(ledger.booked(), atATime, async (intent) => {
    intent.lastRead = await readBooking(client, intent, how);
  });
  const listed = await listBookings(client, scene, how);
  const inventory = await watch.insist(how.patienceMs);
  if (!inventory)
    throw new UsageError('The inventory could not be read at the end: is the server still up? Nothing can be judged without it.');
  const seats = scene.zones.length > 0 ? await readSeats(client, scene, how) : undefined;
  return { listed, inventory, seats, ...(await readSales(client, scene, listed, how)) };
}

/** Every booking of the event in the organizer's list, all pages. */
export async function listBookings(
  client: Client,
  scene: Pick<Scene, 'orgId' | 'eventId' | 'key'>,
  how: Insistence,
): Promise<Listed[]> {
  const listed: Listed[] = [];
  const path = `/v1/organizations/${scene.orgId}/events/${scene.eventId}/bookings?limit=100`;
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Exchange = await ask(
      client,
      { op: 'list', method: 'GET', path: cursor ? `${path}&cursor=${encodeURIComponent(cursor)}` : path, token: scene.key },
      how,
    );
    const body = page.status === 200 ? jsonOf<{ items: BookingView[]; nextCursor: string | null }>(page.body) : undefined;
    if (!Array.isArray(body?.items)) {
      throw new UsageError(
        `The organizer's list of bookings could not be read (${page.method} ${page.path}: ${page.status} ${page.code}).`,
      );
    }
    for (const booking of body.items) listed.push({ booking, page });
    if (body.nextCursor !== null && body.nextCursor === cursor)
      throw new UsageError(`The list's cursor does not move: ${page.path}`);
    cursor = body.nextCursor ?? null;
  }
  return listed;
}

async function readSeats(client: Client, scene: Scene, how: Insistence): Promise<Books['seats']> {
  const path = `/v1/events/${scene.eventId}/seats?fields=id,state`;
  // The public map may be cached for a moment: what is judged is what it says once quiet.
  await sleep(1_500);
  const exchange = await ask(client, { op: 'seats', method: 'GET', path }, how);
  const chart = exchange.status === 200 ? jsonOf<{ seats: { id: string; state: string }[] }>(exchange.body) : undefined;
  return { exchange, states: new Map((chart?.seats ?? []).map(({ id, state }) => [id, state])) };
}

/** The sales report, asked until it has caught up with the list or for as long as a report may lag. */
async function readSales(
  client: Client,
  scene: Scene,
  listed: readonly Listed[],
  how: Insistence,
): Promise<Pick<Books, 'sales' | 'salesExchange'>> {
  const due = revenueOf(listed);
  const giveUpAt = now() + Math.min(reportPatienceMs, how.patienceMs);
  for (;;) {
    const salesExchange = await askSales(client, scene, how);
    const sales = salesIn(salesExchange);
    const said = sales?.reduce((sum, row) => sum + row.revenue.amount, 0);
    if (said === due || now() > giveUpAt) return { sales, salesExchange };
    await sleep(300);
  }
}

export function askSales(client: Client, { orgId, key }: Pick<Scene, 'orgId' | 'key'>, how: Insistence): Promise<Exchange> {
  const path = `/v1/organizations/${orgId}/reports/sales?by=month`;
  return ask(client, { op: 'report', method: 'GET', path, token: key }, how);
}

/** The report's rows, or undefined where the reply is not one. */
export function salesIn(exchange: Exchange): SalesRow[] | undefined {
  const rows = exchange.status === 200 ? jsonOf<SalesRow[]>(exchange.body) : undefined;
  const sound =
    Array.isArray(rows) && rows.every((row) => typeof row.month === 'string' && typeof row.revenue?.amount === 'number');
  return sound ? rows : undefined;
}

export function revenueOf(listed: readonly Listed[]): number {
  return listed.reduce((sum, { booking }) => sum + (booking.status === 'CONFIRMED' ? booking.total.amount : 0), 0);
}

/** The state a read shows, for comparing. */
export function statusIn(exchange: Exchange | undefined): string {
  return bookingIn(exchange)?.status ?? (exchange ? `${exchange.status} ${exchange.code}` : 'nothing');
}
