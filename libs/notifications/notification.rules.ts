// Which message goes to whom about what: ONE table. A new mail is a row here and its words (english.rules.ts and its neighbours).
import {
  AccountRegistered,
  EmailVerificationRequested,
  InvitationCreated,
  PasswordChanged,
  PasswordResetRequested,
} from '../auth/auth.domain-events.js';
import type { MailedTokenKind } from '../auth/auth.port.js';
import {
  BookingCancelled,
  BookingConfirmed,
  BookingReduced,
  LatePaymentRefunded,
  SeatsMoved,
  TicketsResendRequested,
  TicketTransferred,
} from '../booking/booking.domain-events.js';
import type { BookingForMessage } from '../booking/booking.port.js';
import type { BookingTemplate, AccountTemplate } from './wording.rules.js';

/** What a message is about, taken from its domain event: ids, amounts, reasons. Nothing personal. */
export interface About {
  accountId?: string;
  invitationId?: string;
  bookingId?: string;
  eventId?: string;
  ticketId?: string;
  reason?: string;
  /** Minor units in the event's currency. */
  refund?: number;
}

const aboutKeys = ['accountId', 'invitationId', 'bookingId', 'eventId', 'ticketId', 'reason', 'refund'] as const;

/** Whom a message may be for, each with the key by which two messages of one domain event to one recipient are known as one. */
export const audiences = {
  account: (a: About) => `account:${a.accountId}`,
  invitee: (a: About) => `invitation:${a.invitationId}`,
  buyer: (a: About) => `booking:${a.bookingId}`,
  /** Who holds the ticket now. */
  holder: (a: About) => `ticket:${a.ticketId}`,
};

export type Channel = 'email';

interface Cause {
  type: string;
}

/** A message about an account or a membership; it goes to whom auth says. */
export interface AccountRule {
  event: Cause;
  audience: 'account' | 'invitee';
  channels: readonly Channel[];
  template: AccountTemplate;
  /** It carries a link with such a token of auth's, and is wanted as long as auth gives that. */
  token?: MailedTokenKind;
}

/** A message about a booking. */
export interface BookingRule {
  event: Cause;
  audience: 'buyer' | 'holder';
  channels: readonly Channel[];
  template: BookingTemplate;
  /** Tickets go along as a PDF: the booking's, or for a holder the one ticket. */
  tickets?: true;
  /** Thousands are made at once: they wait for each other, and no other message for them. */
  patient?: true;
  /** Asked once, when the domain event is heard. */
  when?: (about: About, booking: () => Promise<BookingForMessage | null>) => Promise<boolean>;
  /** Asked before each try to send: false once it would tell something that is no longer so. */
  still?: (booking: BookingForMessage) => boolean;
}

export type Rule = AccountRule | BookingRule;

export const isAboutBooking = (rule: Rule): rule is BookingRule => rule.audience === 'buyer' || rule.audience === 'holder';

const email = ['email'] as const;
const isConfirmed = (b: BookingForMessage) => b.status === 'CONFIRMED';

/** A hold that ran out or was given up is no news; a booking that was confirmed and ended is. */
const endedAfterConfirmation: BookingRule['when'] = async ({ reason }, booking) =>
  ['requested', 'organizer', 'event'].includes(reason ?? '') && (await booking())?.confirmedAt instanceof Date;

export const notificationRules = {
  account_registered: {
    event: AccountRegistered,
    audience: 'account',
    channels: email,
    template: 'welcome',
    token: 'email-verification',
  },
  email_verification: {
    event: EmailVerificationRequested,
    audience: 'account',
    channels: email,
    template: 'verifyEmail',
    token: 'email-verification',
  },
  password_reset: {
    event: PasswordResetRequested,
    audience: 'account',
    channels: email,
    template: 'resetPassword',
    token: 'password-reset',
  },
  password_changed: { event: PasswordChanged, audience: 'account', channels: email, template: 'passwordChanged' },
  invitation: { event: InvitationCreated, audience: 'invitee', channels: email, template: 'invitation', token: 'invitation' },
  booking_confirmed: {
    event: BookingConfirmed,
    audience: 'buyer',
    channels: email,
    template: 'tickets',
    tickets: true,
    patient: true,
    still: isConfirmed,
  },
  booking_cancelled: {
    event: BookingCancelled,
    audience: 'buyer',
    channels: email,
    template: 'cancelled',
    patient: true,
    when: endedAfterConfirmation,
  },
  booking_reduced: { event: BookingReduced, audience: 'buyer', channels: email, template: 'reduced' },
  tickets_resent: {
    event: TicketsResendRequested,
    audience: 'buyer',
    channels: email,
    template: 'ticketsAgain',
    tickets: true,
    still: isConfirmed,
  },
  ticket_transferred: {
    event: TicketTransferred,
    audience: 'holder',
    channels: email,
    template: 'ticketReceived',
    tickets: true,
    still: isConfirmed,
  },
  ticket_handed_over: { event: TicketTransferred, audience: 'buyer', channels: email, template: 'ticketHandedOver' },
  seats_moved: {
    event: SeatsMoved,
    audience: 'buyer',
    channels: email,
    template: 'seatsMoved',
    tickets: true,
    still: isConfirmed,
  },
  late_payment_refunded: { event: LatePaymentRefunded, audience: 'buyer', channels: email, template: 'lateRefund' },
} as const satisfies Record<string, Rule>;

export type Kind = keyof typeof notificationRules;

/** The rows about one type of domain event. */
export const rulesFor = (type: string): [Kind, Rule][] =>
  (Object.entries(notificationRules) as [Kind, Rule][]).filter(([, rule]) => rule.event.type === type);

/** The row of a message's kind; undefined for one that a newer version of this program wrote. */
export const ruleOf = (kind: string): Rule | undefined =>
  Object.hasOwn(notificationRules, kind) ? notificationRules[kind as Kind] : undefined;

/** True for messages of which thousands are made at once. */
export const isPatient = (kind: Kind): boolean => 'patient' in notificationRules[kind];

/** What a message keeps of a domain event's data. */
export function aboutOf(data: object): About {
  const given = data as Record<string, unknown>;
  return Object.fromEntries(aboutKeys.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]));
}
