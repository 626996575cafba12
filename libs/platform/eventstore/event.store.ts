// The event store's pen: writes domain events in the transaction that caused them, with the rows they changed.
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DomainEvent, DomainEventData } from '../../kernel/domain-event.js';
import { personalDataOf } from '../../kernel/personal-data.js';
import { principalKey } from '../../kernel/principal.js';
import { ambient } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { EventPoke } from './event.poke.js';

@Injectable()
export class EventStore {
  constructor(
    private readonly db: Database,
    private readonly poke: EventPoke,
  ) {}

  /**
   * Appends a domain event to its stream, in the ambient transaction. `changed` are the entities whose rows it explains:
   * their columns go along under `data.rows`, so that folding the stream gives the rows again (history, verify, rebuild).
   * Columns named in a personal-data declaration stay out.
   */
  async announce<D extends DomainEventData>(event: DomainEvent<D>, ...changed: object[]): Promise<void> {
    if (!this.db.inTransaction) throw new Error(`${event.type} must be announced inside the transaction that caused it.`);
    const data = changed.length > 0 ? { ...event.data, rows: this.rowsOf(changed) } : event.data;
    const { principal, requestId, traceId } = ambient();
    await this.db.prepared(
      'event-append',
      `INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, trace_id)
       SELECT $1, $2, coalesce((SELECT max(stream_version) FROM platform.event WHERE org_id = $1 AND stream = $2), 0) + 1, $3, $4, $5, $6, $7, $8`,
      [
        event.data.orgId,
        event.stream,
        event.type,
        event.shape,
        JSON.stringify(data),
        principalKey(principal ?? { kind: 'system', name: 'evently' }),
        requestId ?? 'none',
        traceId ?? null,
      ],
    );
    this.db.afterCommit(() => this.poke.tell(event.type, event.stream));
  }

  private rowsOf(entities: object[]): Record<string, Record<string, unknown>[]> {
    const rows: Record<string, Record<string, unknown>[]> = {};
    for (const entity of entities) {
      const { table, values } = this.db.rowOf(entity);
      (rows[table] ??= []).push(withoutPersonalData(table, values));
    }
    return rows;
  }
}

/** A row as it may be kept for ever, in JSON as to_jsonb() writes it: personal columns left out, organizers' texts as their SHA-256. */
export function withoutPersonalData(table: string, values: Record<string, unknown>): Record<string, unknown> {
  const personal = personalDataOf(table)?.columns ?? {};
  const out: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(values)) {
    if (personal[column] === undefined) out[column] = Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value;
    else if (personal[column] === 'text') out[column] = digest(value);
  }
  return out;
}

/** SHA-256 of a text or of JSON with sorted keys; null stays null. */
export function digest(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'string' ? value : canonical(value);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value && typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
