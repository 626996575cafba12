// Mails in English, which is also what readers of languages we do not speak get.
import { said, type Wording } from './wording.rules.js';

const refunded = (refund: string | null) => refund && `${refund} will be returned the way you paid.`;
const why: Record<string, string> = {
  requested: 'Your booking was cancelled as requested.',
  organizer: 'The organizer cancelled your booking.',
  event: 'The event was cancelled, and your booking with it.',
};

export const english: Wording = {
  language: 'en',
  direction: 'ltr',
  greeting: (name) => (name ? `Hello ${name},` : 'Hello,'),
  footer: 'Evently sent this mail because something happened to your account or booking. Please do not reply to it.',
  labels: { event: 'Event', when: 'When', where: 'Where', tickets: 'Tickets', total: 'Total', booking: 'Booking' },
  accounts: {
    welcome: ({ until }) => ({
      subject: 'Welcome to Evently',
      lines: ['Your account is ready. Please confirm your mail address, so that your tickets reach you.'],
      action: 'Confirm mail address',
      after: [`The link works until ${until}. If you did not make this account, ignore this mail.`],
    }),
    verifyEmail: ({ until }) => ({
      subject: 'Confirm your mail address',
      lines: ['Please confirm that this is your mail address.'],
      action: 'Confirm mail address',
      after: [`The link works until ${until}. If you did not ask for it, ignore this mail.`],
    }),
    resetPassword: ({ until }) => ({
      subject: 'Set a new password',
      lines: ['Somebody asked to set a new password for your account. If that was you, choose one now.'],
      action: 'Choose a new password',
      after: [`The link works once, until ${until}. If you did not ask for it, ignore this mail: your password stays as it is.`],
    }),
    passwordChanged: () => ({
      subject: 'Your password was changed',
      lines: ['The password of your account was changed just now, and all other devices were logged out.'],
      after: ['If that was not you, set a new password at once and tell whoever runs this Evently.'],
    }),
    invitation: ({ organization, until }) => ({
      subject: `Join ${organization} on Evently`,
      lines: [`${organization} invites you to their team on Evently.`],
      action: 'Accept the invitation',
      after: [`The link works until ${until}. If you do not know them, ignore this mail.`],
    }),
  },
  bookings: {
    tickets: ({ title }) => ({
      subject: `Your tickets: ${title}`,
      lines: ['Your booking is confirmed. Your tickets are attached as a PDF.'],
      action: 'Manage booking',
      after: ['Bring them printed or on your phone. Whoever holds a ticket can use it once, so share them with care.'],
    }),
    ticketsAgain: ({ title }) => ({
      subject: `Your tickets once more: ${title}`,
      lines: ['Here are your tickets once more, attached as a PDF.'],
      action: 'Manage booking',
    }),
    cancelled: ({ title, refund, reason }) => ({
      subject: `Cancelled: ${title}`,
      lines: said(why[reason ?? ''] ?? 'Your booking was cancelled.', refunded(refund), 'Its tickets are no longer valid.'),
    }),
    reduced: ({ title, refund }) => ({
      subject: `Booking changed: ${title}`,
      lines: said(
        'Some tickets of your booking were given back and are no longer valid. The others stay valid.',
        refunded(refund),
      ),
      action: 'Manage booking',
    }),
    ticketReceived: ({ title }) => ({
      subject: `A ticket for you: ${title}`,
      lines: ['A ticket was transferred to you. It is attached as a PDF, and only you have it.'],
      after: ['Bring it printed or on your phone.'],
    }),
    ticketHandedOver: ({ title }) => ({
      subject: `Ticket transferred: ${title}`,
      lines: ['A ticket of your booking now belongs to somebody else. Its code before that is no longer valid.'],
      action: 'Manage booking',
      after: ['If this was not your wish, tell the organizer at once.'],
    }),
    seatsMoved: ({ title }) => ({
      subject: `New seats: ${title}`,
      lines: ['The organizer moved your booking to other seats. Please use the attached tickets from now on.'],
      action: 'Manage booking',
    }),
    lateRefund: ({ title, refund }) => ({
      subject: `Your payment came too late: ${title}`,
      lines: said(
        'Your payment arrived after your places had been given free, and there were none left. You have no booking.',
        refunded(refund),
      ),
    }),
  },
};
