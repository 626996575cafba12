// What a buyer asked for, held against the event's snapshot: every check that needs no stock. Pure.
import type { CheckoutField, EventForSale, TicketTypeForSale } from '../catalog/catalog.port.js';
import { invalid, type FieldError } from '../kernel/errors.js';
import type { Principal } from '../kernel/principal.js';
import type { PriceList } from '../pricing/pricing.port.js';
import { bookingErrors } from './booking.errors.js';
import type { AnswerDto, BookDto } from './booking.dto.js';

export interface WantedLine {
  type: TicketTypeForSale;
  quantity: number;
  /** Null: general admission, or for a seated type the best available. */
  seatIds: string[] | null;
}

/** A wish that passed every check which needs no stock. */
export interface PreparedHold {
  event: EventForSale;
  lines: WantedLine[];
  prices: PriceList;
  answers: Record<string, unknown> | null;
  who: Principal;
  contact: { email: string; name?: string; locale?: string } | null;
  bookingId: string;
  actor: string;
}

/** The lines of a request; refuses with pointers what can never be, and with a code what is not for sale. */
export function readLines(event: EventForSale, dto: BookDto): WantedLine[] {
  const problems: FieldError[] = [];
  const seen = new Set<string>();
  const lines = dto.items.map((item, i): WantedLine | null => {
    const at = `/items/${i}`;
    const type = event.ticketTypes.find((t) => t.id === item.ticketTypeId);
    if (!type || !mayKnow(type, dto.accessCode)) {
      problems.push({ pointer: `${at}/ticketTypeId`, detail: 'This event has no such ticket type, or it needs an accessCode.' });
      return null;
    }
    if (seen.has(type.id)) problems.push({ pointer: `${at}/ticketTypeId`, detail: 'Name each ticket type once.' });
    seen.add(type.id);
    if ((item.quantity === undefined) === (item.seatIds === undefined)) {
      problems.push({ pointer: at, detail: 'Send either quantity or seatIds.' });
    } else if (item.seatIds && type.kind === 'general') {
      problems.push({ pointer: `${at}/seatIds`, detail: 'This ticket type has no numbered seats: send quantity.' });
    } else if (item.seatIds && new Set(item.seatIds).size < item.seatIds.length) {
      problems.push({ pointer: `${at}/seatIds`, detail: 'Name each seat once.' });
    }
    return { type, quantity: item.quantity ?? item.seatIds?.length ?? 0, seatIds: item.seatIds ?? null };
  });
  if (problems.length > 0) throw invalid(problems);
  const whole = lines as WantedLine[];
  for (const { type, quantity } of whole) {
    if (type.maxPerBooking !== null && quantity > type.maxPerBooking) {
      throw bookingErrors.limitExceeded();
    }
  }
  return whole;
}

/** A type with an access code is known only to who has it; codes are compared without case. */
const mayKnow = (type: TicketTypeForSale, code: string | undefined) =>
  type.accessCode === null || (code !== undefined && code.toLowerCase() === type.accessCode.toLowerCase());

/** Answers to the event's checkout fields, by field id; refuses with pointers what is missing, unknown or of the wrong kind. */
export function readAnswers(
  event: EventForSale,
  answers: readonly AnswerDto[] | undefined,
  tickets: number,
): Record<string, unknown> | null {
  const problems: FieldError[] = [];
  const given = new Map<string, unknown>();
  (answers ?? []).forEach((answer, i) => {
    const field = event.fields.find((f) => f.id === answer.fieldId);
    if (!field || given.has(answer.fieldId)) {
      problems.push({
        pointer: `/answers/${i}/fieldId`,
        detail: field ? 'Answer each field once.' : 'This event does not ask that.',
      });
      return;
    }
    given.set(field.id, answer.value);
    const wrong = whatIsWrong(field, answer.value, tickets);
    if (wrong) problems.push({ pointer: `/answers/${i}/value`, detail: wrong });
  });
  for (const field of event.fields) {
    if (field.required && !given.has(field.id))
      problems.push({ pointer: '/answers', detail: `Answer the required field ${field.id} (${field.label}).` });
  }
  if (problems.length > 0) throw invalid(problems);
  return given.size > 0 ? Object.fromEntries(given) : null;
}

function whatIsWrong(field: CheckoutField, value: unknown, tickets: number): string | null {
  if (field.per === 'booking') return wrongValue(field, value);
  if (!Array.isArray(value) || value.length !== tickets)
    return `This is asked for each ticket: send a list of ${tickets} answers.`;
  return value.map((v) => wrongValue(field, v)).find((w) => w !== null) ?? null;
}

function wrongValue(field: CheckoutField, value: unknown): string | null {
  switch (field.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'Send true or false.';
    case 'choice':
      return typeof value === 'string' && field.choices?.includes(value) ? null : `Send one of: ${field.choices?.join(', ')}.`;
    case 'text':
      return typeof value === 'string' &&
        value.length > 0 &&
        value.length <= 2000 &&
        !value.includes('\0') &&
        value.isWellFormed()
        ? null
        : 'Send a text of 1 to 2000 characters.';
  }
}
