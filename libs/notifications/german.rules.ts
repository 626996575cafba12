// Mails in German.
import { said, type Wording } from './wording.rules.js';

const refunded = (refund: string | null) => refund && `${refund} werden auf dem Weg erstattet, auf dem Sie bezahlt haben.`;
const why: Record<string, string> = {
  requested: 'Ihre Buchung wurde wie gewünscht storniert.',
  organizer: 'Der Veranstalter hat Ihre Buchung storniert.',
  event: 'Die Veranstaltung wurde abgesagt und Ihre Buchung damit storniert.',
};

export const german: Wording = {
  language: 'de',
  direction: 'ltr',
  greeting: (name) => (name ? `Guten Tag ${name},` : 'Guten Tag,'),
  footer:
    'Evently schickt diese E-Mail, weil sich an Ihrem Konto oder Ihrer Buchung etwas geändert hat. Bitte antworten Sie nicht darauf.',
  labels: { event: 'Veranstaltung', when: 'Wann', where: 'Wo', tickets: 'Tickets', total: 'Summe', booking: 'Buchung' },
  accounts: {
    welcome: ({ until }) => ({
      subject: 'Willkommen bei Evently',
      lines: ['Ihr Konto ist bereit. Bitte bestätigen Sie Ihre E-Mail-Adresse, damit Ihre Tickets Sie erreichen.'],
      action: 'E-Mail-Adresse bestätigen',
      after: [`Der Link gilt bis ${until}. Wenn Sie dieses Konto nicht angelegt haben, ignorieren Sie diese E-Mail.`],
    }),
    verifyEmail: ({ until }) => ({
      subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
      lines: ['Bitte bestätigen Sie, dass dies Ihre E-Mail-Adresse ist.'],
      action: 'E-Mail-Adresse bestätigen',
      after: [`Der Link gilt bis ${until}. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese E-Mail.`],
    }),
    resetPassword: ({ until }) => ({
      subject: 'Neues Passwort wählen',
      lines: ['Für Ihr Konto wurde ein neues Passwort angefordert. Wenn Sie das waren, wählen Sie jetzt eines.'],
      action: 'Neues Passwort wählen',
      after: [
        `Der Link gilt einmal, bis ${until}. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese E-Mail: Ihr Passwort bleibt, wie es ist.`,
      ],
    }),
    passwordChanged: () => ({
      subject: 'Ihr Passwort wurde geändert',
      lines: ['Das Passwort Ihres Kontos wurde soeben geändert, und alle anderen Geräte wurden abgemeldet.'],
      after: ['Wenn Sie das nicht waren, setzen Sie sofort ein neues Passwort und sagen Sie es dem Betreiber.'],
    }),
    invitation: ({ organization, until }) => ({
      subject: `Einladung zu ${organization} auf Evently`,
      lines: [`${organization} lädt Sie in das eigene Team auf Evently ein.`],
      action: 'Einladung annehmen',
      after: [`Der Link gilt bis ${until}. Wenn Ihnen der Absender nichts sagt, ignorieren Sie diese E-Mail.`],
    }),
  },
  bookings: {
    tickets: ({ title }) => ({
      subject: `Ihre Tickets: ${title}`,
      lines: ['Ihre Buchung ist bestätigt. Ihre Tickets hängen als PDF an.'],
      action: 'Buchung verwalten',
      after: [
        'Bringen Sie sie ausgedruckt oder auf dem Telefon mit. Wer ein Ticket hat, kann es einmal nutzen: Geben Sie es mit Bedacht weiter.',
      ],
    }),
    ticketsAgain: ({ title }) => ({
      subject: `Noch einmal Ihre Tickets: ${title}`,
      lines: ['Hier sind Ihre Tickets noch einmal, als PDF im Anhang.'],
      action: 'Buchung verwalten',
    }),
    cancelled: ({ title, refund, reason }) => ({
      subject: `Storniert: ${title}`,
      lines: said(why[reason ?? ''] ?? 'Ihre Buchung wurde storniert.', refunded(refund), 'Die Tickets gelten nicht mehr.'),
    }),
    reduced: ({ title, refund }) => ({
      subject: `Buchung geändert: ${title}`,
      lines: said(
        'Einige Tickets Ihrer Buchung wurden zurückgegeben und gelten nicht mehr. Die übrigen bleiben gültig.',
        refunded(refund),
      ),
      action: 'Buchung verwalten',
    }),
    ticketReceived: ({ title }) => ({
      subject: `Ein Ticket für Sie: ${title}`,
      lines: ['Ein Ticket wurde auf Sie übertragen. Es hängt als PDF an, und nur Sie haben es.'],
      after: ['Bringen Sie es ausgedruckt oder auf dem Telefon mit.'],
    }),
    ticketHandedOver: ({ title }) => ({
      subject: `Ticket übertragen: ${title}`,
      lines: ['Ein Ticket Ihrer Buchung gehört jetzt jemand anderem. Sein bisheriger Code gilt nicht mehr.'],
      action: 'Buchung verwalten',
      after: ['Wenn Sie das nicht wollten, sagen Sie es sofort dem Veranstalter.'],
    }),
    seatsMoved: ({ title }) => ({
      subject: `Neue Plätze: ${title}`,
      lines: ['Der Veranstalter hat Ihre Buchung auf andere Plätze gelegt. Bitte nutzen Sie ab jetzt die angehängten Tickets.'],
      action: 'Buchung verwalten',
    }),
    lateRefund: ({ title, refund }) => ({
      subject: `Ihre Zahlung kam zu spät: ${title}`,
      lines: said(
        'Ihre Zahlung kam an, als Ihre Plätze schon wieder frei gegeben waren, und es war keiner mehr da. Sie haben keine Buchung.',
        refunded(refund),
      ),
    }),
  },
};
