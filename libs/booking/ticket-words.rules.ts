// Ticket words: what a printed ticket says in each language, and how it writes dates, times and money there.
import { moneyText, type Money } from '../kernel/money.js';
import { dateFormat } from '../kernel/time.js';

export interface TicketWords {
  ticket: string;
  section: string;
  row: string;
  seat: string;
  admission: string;
  holder: string;
  booking: string;
  price: string;
  free: string;
  accessible: string;
  note: string;
}

const words: Record<string, TicketWords> = {
  en: {
    ticket: 'Ticket',
    section: 'Section',
    row: 'Row',
    seat: 'Seat',
    admission: 'Admission',
    holder: 'Name',
    booking: 'Booking',
    price: 'Price',
    free: 'Free',
    accessible: 'Accessible place',
    note: 'Show this code at the entrance, on paper or on your phone. It admits one person, once: do not share it.',
  },
  de: {
    ticket: 'Ticket',
    section: 'Block',
    row: 'Reihe',
    seat: 'Platz',
    admission: 'Eintritt',
    holder: 'Name',
    booking: 'Buchung',
    price: 'Preis',
    free: 'Kostenlos',
    accessible: 'Barrierefreier Platz',
    note: 'Zeigen Sie diesen Code am Einlass, auf Papier oder auf dem Telefon. Er gilt einmal für eine Person: Geben Sie ihn nicht weiter.',
  },
  fr: {
    ticket: 'Billet',
    section: 'Section',
    row: 'Rang',
    seat: 'Place',
    admission: 'Entrée',
    holder: 'Nom',
    booking: 'Réservation',
    price: 'Prix',
    free: 'Gratuit',
    accessible: 'Place accessible',
    note: 'Présentez ce code à l’entrée, imprimé ou sur votre téléphone. Il est valable une fois, pour une personne : ne le partagez pas.',
  },
  es: {
    ticket: 'Entrada',
    section: 'Sector',
    row: 'Fila',
    seat: 'Asiento',
    admission: 'Acceso',
    holder: 'Nombre',
    booking: 'Reserva',
    price: 'Precio',
    free: 'Gratis',
    accessible: 'Plaza accesible',
    note: 'Muestre este código en la entrada, impreso o en el móvil. Vale una sola vez para una persona: no lo comparta.',
  },
  it: {
    ticket: 'Biglietto',
    section: 'Settore',
    row: 'Fila',
    seat: 'Posto',
    admission: 'Ingresso',
    holder: 'Nome',
    booking: 'Prenotazione',
    price: 'Prezzo',
    free: 'Gratis',
    accessible: 'Posto accessibile',
    note: 'Mostri questo codice all’ingresso, stampato o sul telefono. Vale una sola volta per una persona: non lo condivida.',
  },
  ar: {
    ticket: 'تذكرة',
    section: 'القسم',
    row: 'الصف',
    seat: 'المقعد',
    admission: 'الدخول',
    holder: 'الاسم',
    booking: 'الحجز',
    price: 'السعر',
    free: 'مجانًا',
    accessible: 'مكان مهيأ لذوي الإعاقة',
    note: 'أظهر هذا الرمز عند المدخل، مطبوعًا أو على هاتفك. يسمح بدخول شخص واحد مرة واحدة فقط، فلا تشاركه مع أحد.',
  },
};

/** A BCP 47 tag that this runtime formats dates in; English for what is none. */
export function ticketLocale(locale: string | null): string {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(locale ?? 'en')[0] ?? 'en';
  } catch {
    return 'en';
  }
}

const languageOf = (locale: string) => locale.split('-')[0];

/** The words of a language, English where there are none. */
export const ticketWords = (locale: string): TicketWords => words[languageOf(locale)] ?? words.en;

/** True where the words run from right to left. */
export const isRightToLeft = (locale: string): boolean => languageOf(locale) === 'ar';

/** `Saturday, 18 April 2031` in the event's zone. The calendar is Gregorian everywhere: it is what events are announced in. */
export const ticketDate = (locale: string, timeZone: string, at: Date): string =>
  dateFormat(locale, { dateStyle: 'full', timeZone, calendar: 'gregory' }).format(at);

/** `19:30 – 22:00 CEST`, all in the event's zone; an end on another day has its date: `22:00 – 02:00 (20 Apr) CEST`. */
export function ticketTimes(locale: string, timeZone: string, startsAt: Date, endsAt: Date): string {
  const time = dateFormat(locale, { timeStyle: 'short', timeZone });
  const zone = dateFormat(locale, { timeZone, timeZoneName: 'short' })
    .formatToParts(startsAt)
    .find((part) => part.type === 'timeZoneName');
  const sameDay = ticketDate(locale, timeZone, startsAt) === ticketDate(locale, timeZone, endsAt);
  const day = dateFormat(locale, { day: 'numeric', month: 'short', timeZone, calendar: 'gregory' });
  const end = sameDay ? time.format(endsAt) : `${time.format(endsAt)} (${day.format(endsAt)})`;
  return `${time.format(startsAt)} – ${end} ${zone?.value ?? ''}`.trim();
}

/** An amount as its currency is written there; the word for free when it is nothing. */
export const ticketPrice = (locale: string, price: Money): string =>
  price.amount === 0 ? ticketWords(locale).free : moneyText(price, locale);
