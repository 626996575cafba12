// A booking's history: every domain event of it, and the booking as it was at any past time.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { EventReader, type StoredEvent } from '../platform/eventstore/event.reader.js';
import type { BookingState } from './booking.rules.js';
import { stateOfHistory } from './history.rules.js';

export interface HistoryEntry {
  seq: number;
  type: string;
  at: Date;
  actor: string;
  data: Record<string, unknown>;
}

/** More changes than any booking has. */
const ALL = 10_000;

@Injectable()
export class History {
  constructor(private readonly reader: EventReader) {}

  async list(orgId: string, bookingId: string, page: PageRequest): Promise<Page<HistoryEntry>> {
    const after = decodeCursor(page.cursor, 1)?.[0] ?? 0;
    const events = await this.reader.ofStream(orgId, `booking:${bookingId}`, {
      after: Number(after) || 0,
      limit: page.limit + 1,
    });
    return pageOf(events, page.limit, (e) => [e.streamVersion], entryOf);
  }

  /** The booking as it was at a time; `not_found` before it was made. */
  async at(orgId: string, bookingId: string, at: Date): Promise<BookingState> {
    const events = await this.reader.ofStream(orgId, `booking:${bookingId}`, { after: 0, limit: ALL, until: at });
    const state = stateOfHistory(await this.reader.fold(events));
    if (!state) throw edgeErrors.notFound();
    return state;
  }

  /** The booking as it was when it was made: what the first reply showed, for its replays. */
  async atFirst(orgId: string, bookingId: string): Promise<BookingState> {
    const events = await this.reader.ofStream(orgId, `booking:${bookingId}`, { after: 0, limit: 1 });
    const state = stateOfHistory(await this.reader.fold(events));
    if (!state) throw new Error(`The booking ${bookingId} has a verdict but no history.`);
    return state;
  }
}

function entryOf(e: StoredEvent): HistoryEntry {
  const { rows: _rows, ...told } = e.data;
  const row = e.data.rows?.['booking.booking']?.[0];
  const state = row
    ? {
        status: row.status,
        expiresAt: row.expires_at ? new Date(row.expires_at as string) : null,
        total: row.total,
        refunded: row.refunded ?? 0,
        version: row.version,
      }
    : {};
  return { seq: e.streamVersion, type: e.type, at: e.occurredAt, actor: e.actor, data: { ...told, ...state } };
}
