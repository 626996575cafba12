// The small house of notifications' specs: its own providers, what those below would answer, and domain events announced by hand.
import { Module, type CanActivate, type ExecutionContext, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthPort, type Contact } from '../libs/auth/auth.port.js';
import type { OfBooking } from '../libs/booking/booking.domain-events.js';
import { BookingPort, type BookingForMessage } from '../libs/booking/booking.port.js';
import { declaredDomainEvents, type DomainEvent } from '../libs/kernel/domain-event.js';
import { newGlobalId, newId, NO_ORG } from '../libs/kernel/ids.js';
import { declaredJobs } from '../libs/kernel/job.js';
import { DeliveryService } from '../libs/notifications/delivery.service.js';
import { LetterService } from '../libs/notifications/letter.service.js';
import { MailModule } from '../libs/notifications/mail.module.js';
import { MessageController } from '../libs/notifications/message.controller.js';
import { MessageRepository } from '../libs/notifications/message.repository.js';
import { MessageService } from '../libs/notifications/message.service.js';
import '../libs/notifications/notification.policy.js';
import { NotificationProcessor } from '../libs/notifications/notification.processor.js';
import { ambient, runAs } from '../libs/platform/db/ambient.js';
import { Database } from '../libs/platform/db/database.js';
import { EventStore } from '../libs/platform/eventstore/event.store.js';
import { PlatformModule, PlatformWorker } from '../libs/platform/platform.module.js';
import { HEARS, OnJob, type Hears } from '../libs/platform/queue/processor.decorators.js';
import { auditOnlyEvents } from '../libs/platform/queue/worker.engine.js';
import type { Harness } from './harness.js';

export const contact = (name: string, locale = 'en'): Contact => ({
  email: `${name.toLowerCase()}@example.org`,
  name,
  locale,
  timeZone: null,
});

/** What those below would answer; each test sets what it needs. */
const accounts = new Map<string, Contact>();
export const usedTokens = new Set<string>();
const bookings = new Map<string, BookingForMessage>();
/** Bookings and tickets whose PDF was made. */
export const pdfs: string[] = [];

const knownAuth: Pick<AuthPort, 'contactOf' | 'mailedToken'> = {
  contactOf: async (id) => accounts.get(id) ?? null,
  mailedToken: async (kind, id) => {
    const to = accounts.get(id);
    if (!to || usedTokens.has(id)) return null;
    return { to, token: `${kind}.${id}`, expiresAt: new Date('2027-01-01T00:00:00Z'), organizationName: 'Old Mill' };
  },
};

const knownBookings: Pick<BookingPort, 'forMessage' | 'ticketsPdf'> = {
  forMessage: async (_orgId, id) => bookings.get(id) ?? null,
  ticketsPdf: async (_orgId, id, ticketId) => {
    pdfs.push(ticketId ?? id);
    return Buffer.from(`%PDF ${ticketId ?? id}`);
  },
};

/** Logs in whom a header names: staff of one organization. */
class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const org = context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-staff-of'];
    const roles = { [org]: 'staff' as const };
    if (org) ambient().set('principal', { kind: 'account', accountId: newGlobalId(), sessionId: newGlobalId(), roles });
    return true;
  }
}

const below: Provider[] = [
  { provide: AuthPort, useValue: knownAuth },
  { provide: BookingPort, useValue: knownBookings },
];
const services = [MessageRepository, MessageService, LetterService, DeliveryService];

@Module({
  imports: [PlatformModule, MailModule],
  controllers: [MessageController],
  providers: [...below, ...services, { provide: APP_GUARD, useClass: HeaderGuard }],
})
export class TestApi {}

/** Spec files share a process: what other contexts declared there finds nobody to do it in this small house. */
class Others {}
const ours = new Set(hearsOf(NotificationProcessor).map((h) => h.type.type));
auditOnlyEvents(...declaredDomainEvents().filter((type) => !ours.has(type)).map((type) => ({ type }))); // prettier-ignore
for (const type of declaredJobs().keys()) {
  if (type === 'notifications.send') continue;
  const refuse = { value: () => Promise.reject(new Error('not here')), configurable: true };
  Object.defineProperty(Others.prototype, type, refuse);
  OnJob({ type } as never)(Others.prototype, type, refuse as never);
}

@Module({
  imports: [PlatformModule, PlatformWorker, MailModule],
  providers: [...below, ...services, NotificationProcessor, Others],
})
export class TestWorker {}

export function hearsOf(processor: new (...a: never[]) => object): Hears[] {
  const proto = processor.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(proto).flatMap((name) => (Reflect.getMetadata(HEARS, proto[name]) as Hears) ?? []);
}

export const announce = (house: Harness, ...events: DomainEvent[]) =>
  runAs({ principal: { kind: 'system', name: 'spec' }, requestId: 'spec' }, () =>
    house.api.get(Database).transaction(async () => {
      for (const event of events) await house.api.get(EventStore).announce(event);
    }),
  );

export function account(name: string, locale?: string): { orgId: string; accountId: string } {
  const accountId = newGlobalId();
  accounts.set(accountId, contact(name, locale));
  return { orgId: NO_ORG, accountId };
}

export function booking(orgId: string, name: string, given: Partial<BookingForMessage> = {}): OfBooking {
  const [id, eventId, ticketId] = [newId(orgId), newId(orgId), newId(orgId)];
  bookings.set(id, {
    orgId, id, eventId, status: 'CONFIRMED', confirmedAt: new Date(), eventTitle: 'Night of Strings', startsAt: new Date('2027-05-01T18:00:00Z'),
    timeZone: 'Europe/Berlin', venueName: 'Old Mill', currency: 'EUR', total: 2500, to: contact(name), manageUrl: `https://x/manage#${id}`,
    tickets: [{ id: ticketId, ticketTypeName: 'Standing', seat: null, holder: null }], ...given,
  }); // prettier-ignore
  return { orgId, bookingId: id, eventId };
}
