// Letters: asks those below what a message is about and whom it reaches, each time it is tried, and writes it in the reader's language.
import { Injectable } from '@nestjs/common';
import { AuthPort, type Contact } from '../auth/auth.port.js';
import { BookingPort, type BookingForMessage } from '../booking/booking.port.js';
import { PlatformConfig } from '../platform/config/platform.config.js';
import { linkFor } from './link.rules.js';
import type { Attachment } from './mailer.client.js';
import type { Message } from './message.repository.js';
import { isAboutBooking, ruleOf, type AccountRule, type BookingRule } from './notification.rules.js';
import { writeBookingLetter, writeAccountLetter, type Letter } from './template.rules.js';

export interface AddressedLetter {
  to: Contact;
  letter: Letter;
  attachments: Attachment[];
}

@Injectable()
export class LetterService {
  constructor(
    private readonly auth: AuthPort,
    private readonly bookings: BookingPort,
    private readonly config: PlatformConfig,
  ) {}

  /** The message as it is to be sent now; null when nobody wants it any more (used token, gone booking, ticket handed on). */
  async write(message: Message): Promise<AddressedLetter | null> {
    const rule = ruleOf(message.kind);
    if (!rule) throw new Error(`No row in notification.rules.ts for a message of kind ${message.kind}: is this worker older?`);
    return isAboutBooking(rule) ? this.writeBooking(rule, message) : this.writeAccount(rule, message);
  }

  private async writeAccount({ template, token, audience }: AccountRule, { about }: Message): Promise<AddressedLetter | null> {
    const id = audience === 'invitee' ? about.invitationId : about.accountId;
    if (!id) return null;
    const mailed = token ? await this.auth.mailedToken(token, id) : null;
    const to = token ? mailed?.to : await this.auth.contactOf(id);
    if (!to) return null;
    const url = token && mailed ? linkFor(this.config.publicUrl, token, mailed.token) : null;
    const letter = writeAccountLetter(
      {
        template,
        name: to.name,
        url,
        expiresAt: mailed?.expiresAt ?? null,
        timeZone: to.timeZone,
        organization: mailed?.organizationName ?? null,
      },
      to.locale,
    );
    return { to, letter, attachments: [] };
  }

  private async writeBooking(rule: BookingRule, { orgId, about }: Message): Promise<AddressedLetter | null> {
    const booking = about.bookingId ? await this.bookings.forMessage(orgId, about.bookingId) : null;
    if (!booking || (rule.still && !rule.still(booking))) return null;
    const own = rule.audience === 'holder';
    const tickets = own ? booking.tickets.filter((t) => t.id === about.ticketId) : booking.tickets;
    const to = own ? tickets[0]?.holder : booking.to;
    if (!to) return null;
    const money = (amount: number) => ({ amount, currency: booking.currency });
    const letter = writeBookingLetter(
      {
        template: rule.template,
        name: to.name,
        url: own ? null : booking.manageUrl, // It carries the buyer's token.
        bookingId: booking.id,
        title: booking.eventTitle,
        startsAt: booking.startsAt,
        timeZone: booking.timeZone,
        venue: booking.venueName,
        tickets: tickets.map((t) => ({ typeName: t.ticketTypeName, seat: t.seat })),
        total: own ? null : money(booking.total),
        refund: about.refund ? money(about.refund) : null,
        reason: about.reason,
      },
      to.locale,
    );
    return { to, letter, attachments: rule.tickets ? [this.ticketsOf(booking, own ? about.ticketId : undefined)] : [] };
  }

  private ticketsOf(booking: BookingForMessage, ticketId: string | undefined): Attachment {
    const content = () => this.bookings.ticketsPdf(booking.orgId, booking.id, ticketId);
    return { filename: 'tickets.pdf', contentType: 'application/pdf', content };
  }
}
