// What every language must be able to say. A language is one file that fills this in; the compiler names what it lacks.

export type AccountTemplate = 'welcome' | 'verifyEmail' | 'resetPassword' | 'passwordChanged' | 'invitation';
export type BookingTemplate =
  'tickets' | 'ticketsAgain' | 'cancelled' | 'reduced' | 'ticketReceived' | 'ticketHandedOver' | 'seatsMoved' | 'lateRefund';

export interface AccountFacts {
  organization: string;
  /** When the link ends, in the reader's zone; empty where there is none. */
  until: string;
}

/** Already in the reader's language: words only put them in their place. */
export interface BookingFacts {
  title: string;
  /** Money that goes back; null where none does. */
  refund: string | null;
  /** Why it was cancelled: `requested`, `organizer` or `event`. */
  reason: string | undefined;
}

/** Words of one mail: plain sentences. The address of `action` (the label of a button) comes with the facts. */
export interface Words {
  subject: string;
  lines: string[];
  action?: string;
  /** Said below the button and the details. */
  after?: string[];
}

export interface Wording {
  /** BCP 47 primary language. */
  language: string;
  direction: 'ltr' | 'rtl';
  greeting(name: string | null): string;
  /** Why this mail came, at its end. */
  footer: string;
  labels: Record<'event' | 'when' | 'where' | 'tickets' | 'total' | 'booking', string>;
  accounts: Record<AccountTemplate, (facts: AccountFacts) => Words>;
  bookings: Record<BookingTemplate, (facts: BookingFacts) => Words>;
}

/** Sentences with the gaps left out. */
export const said = (...lines: (string | null | false)[]): string[] => lines.filter((line): line is string => Boolean(line));
