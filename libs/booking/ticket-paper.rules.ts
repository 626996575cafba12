// Ticket paper: a ticket's code as QR (SVG, PNG) and a booking's tickets as PDF, one A4 page each. The same input gives the same bytes.
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import PDFDocument from 'pdfkit';
import QRCode, { type QRCodeSegment } from 'qrcode';
import type { Money } from '../kernel/money.js';
import { countLines, writeText, type Paper } from './ticket-text.rules.js';
import {
  isRightToLeft,
  ticketDate,
  ticketLocale,
  ticketPrice,
  ticketTimes,
  ticketWords,
  type TicketWords,
} from './ticket-words.rules.js';

export interface PaperEvent {
  title: string;
  startsAt: Date;
  endsAt: Date;
  /** IANA zone in which date and times are written. */
  timeZone: string;
  venue: { name: string; address: string | null } | null;
}
export interface PaperTicket {
  /** What the QR says. */
  code: string;
  ticketType: string;
  /** As it is written on the seat; null for general admission. */
  seat: { section: string; row: string; number: string; accessible?: boolean } | null;
  holder: string | null;
  price: Money;
}
export interface PaperBooking {
  id: string;
  event: PaperEvent;
  /** At least one; each is a page. */
  tickets: PaperTicket[];
  /** Of the buyer; what is not known is written in English. */
  locale: string | null;
  /** Written into the file as its date; take the booking's own time, so that the file is the same each time it is made. */
  createdAt: Date;
}

/** 15 % of a code may be dirty or torn; the four white modules around it are part of it. */
const QR = { errorCorrectionLevel: 'M', margin: 4 } as const;

/** A code has lower-case letters throughout: the search for stretches of other modes would find none, and takes most of the time. */
const bytes = (code: string): QRCodeSegment[] => [{ data: Buffer.from(code), mode: 'byte' }];

/** A code as an SVG document of black squares on white that scales to any size. */
export const qrSvg = (code: string): Promise<string> => QRCode.toString(bytes(code), { ...QR, type: 'svg' });

/** A code as a PNG of about 550 pixels, sharp: each module is a whole number of pixels. */
export const qrPng = (code: string): Promise<Buffer> => QRCode.toBuffer(bytes(code), { ...QR, type: 'png', scale: 8 });

const page = { width: 595.28, height: 841.89, margin: 56 };
const inner = page.width - 2 * page.margin;
const ink = { text: '#1b1f24', soft: '#6a7280', line: '#d9dce1', panel: '#f5f6f8', accent: '#2f4b7c' };

/** The tickets of a booking as a PDF that is read as it is made. */
export function ticketsPdfStream(booking: PaperBooking): Readable {
  const locale = ticketLocale(booking.locale);
  const paper = new PDFDocument({
    size: 'A4',
    margin: 0, // All places are our own; pdfkit must not break pages.
    autoFirstPage: false,
    font: '', // Without it pdfkit opens Helvetica.
    lang: locale,
    displayTitle: true,
    info: { Title: booking.event.title, Creator: 'Evently', Producer: 'Evently', CreationDate: booking.createdAt },
  });
  const stream = paper as unknown as Readable; // pdfkit's types say WritableStream; it is a stream.Readable.
  drawPages(paper, booking, locale).catch((error: Error) => stream.destroy(error));
  return stream;
}

/** A page takes some 15 ms: between two of them others have their turn, so that a group's tickets do not hold up the server. */
async function drawPages(paper: Paper, booking: PaperBooking, locale: string) {
  const page = new TicketPage(paper, locale);
  for (const [i, ticket] of booking.tickets.entries()) {
    if (i > 0) await setImmediate();
    paper.addPage();
    page.draw(booking, ticket, `${i + 1} / ${booking.tickets.length}`);
  }
  paper.end();
}

/** The same, whole. About 30 kB a page. */
export const ticketsPdf = (booking: PaperBooking): Promise<Buffer> => buffer(ticketsPdfStream(booking));

interface Cell {
  label: string;
  value: string;
}

/** Draws one ticket. Everything is placed from the start of a line; where writing runs from the right, `left` mirrors the place. */
class TicketPage {
  private readonly words: TicketWords;
  private readonly rtl: boolean;

  constructor(
    private readonly paper: Paper,
    private readonly locale: string,
  ) {
    this.words = ticketWords(locale);
    this.rtl = isRightToLeft(locale);
  }

  draw(booking: PaperBooking, ticket: PaperTicket, count: string) {
    this.paper.rect(0, 0, page.width, 8).fill(ink.accent);
    this.write(this.words.ticket, { start: 0, y: 44, width: inner / 2, size: 10, bold: true, color: ink.accent });
    this.write(count, { start: inner / 2, y: 44, width: inner / 2, size: 10, color: ink.soft, align: 'end' });
    let y = this.heading(booking.event, 66);
    y = this.panel(booking, ticket, y + 26);
    this.foot(y + 24);
  }

  /** Title, when and where. */
  private heading(event: PaperEvent, y: number): number {
    const size = [30, 26, 22].find((s) => countLines(event.title, inner, { size: s, bold: true }) <= 2) ?? 18;
    y = this.write(event.title, { start: 0, y, width: inner, size, bold: true, lines: 3 }) + 16;
    y = this.write(ticketDate(this.locale, event.timeZone, event.startsAt), { start: 0, y, width: inner, size: 14, bold: true });
    y = this.write(ticketTimes(this.locale, event.timeZone, event.startsAt, event.endsAt), {
      start: 0,
      y,
      width: inner,
      size: 14,
    });
    if (!event.venue) return y;
    y = this.write(event.venue.name, { start: 0, y: y + 10, width: inner, size: 12, bold: true, lines: 2 });
    if (event.venue.address)
      y = this.write(event.venue.address, { start: 0, y, width: inner, size: 11, color: ink.soft, lines: 3 });
    return y;
  }

  /** The place, the code and whose they are, on one quiet ground. */
  private panel({ id }: PaperBooking, ticket: PaperTicket, y: number): number {
    const [pad, code, gap] = [22, 212, 24];
    const height = code + 2 * pad;
    this.paper.roundedRect(page.margin, y, inner, height, 10).fill(ink.panel);
    this.code(ticket.code, { start: inner - pad - code, y: y + pad, size: code });
    const width = inner - 2 * pad - code - gap;
    let at = this.place(ticket, y + pad, { start: pad, width });
    at = Math.max(at + 12, y + 108);
    this.paper
      .moveTo(this.left(pad, width), at)
      .lineTo(this.left(pad, width) + width, at)
      .lineWidth(0.75)
      .stroke(ink.line);
    at += 12;
    const price = ticketPrice(this.locale, ticket.price);
    const rows: Cell[] = [{ label: this.words.price, value: price }];
    if (ticket.holder) rows.unshift({ label: this.words.holder, value: ticket.holder });
    for (const row of rows) at = this.cell(row, { start: pad, y: at, width, size: 12 }) + 7;
    this.cell({ label: this.words.booking, value: id }, { start: pad, y: at, width, size: 8.5 });
    return y + height;
  }

  /** Section, row and seat side by side, or the section above where it is long; without a seat the ticket type alone. */
  private place({ seat, ticketType }: PaperTicket, y: number, { start, width }: { start: number; width: number }): number {
    if (!seat)
      return this.cell({ label: this.words.admission, value: ticketType }, { start, y, width, size: 20, bold: true, lines: 2 });
    const section: Cell = { label: this.words.section, value: seat.section };
    const rest: Cell[] = [
      { label: this.words.row, value: seat.row },
      { label: this.words.seat, value: seat.number },
    ];
    const size = [26, 22].find((s) => countLines(seat.section, width * 0.48, { size: s, bold: true }) === 1);
    let below = size
      ? this.cells([section, ...rest], { start, y, width, size }, [0.48, 0.26, 0.26])
      : this.cells(
          rest,
          { start, y: this.cell(section, { start, y, width, size: 14, bold: true, lines: 2 }) + 6, width, size: 20 },
          [0.5, 0.5],
        );
    below += 4;
    const type = seat.accessible ? `${ticketType} · ${this.words.accessible}` : ticketType;
    return this.write(type, { start, y: below, width, size: 11, color: ink.soft, lines: size ? 2 : 1 });
  }

  /** Cells in a line, each with its share of the width; a value that is too long for its share is set smaller. */
  private cells(cells: Cell[], { start, y, width, size }: Place, shares: number[]): number {
    let below = y;
    let from = start;
    for (const [i, cell] of cells.entries()) {
      const room = width * shares[i] - 8;
      const fitting = [size, 16, 12].find((s) => countLines(cell.value, room, { size: s, bold: true }) === 1) ?? 9;
      below = Math.max(below, this.cell(cell, { start: from, y, width: room, size: fitting, bold: true, lines: 2 }));
      from += width * shares[i];
    }
    return below;
  }

  private cell({ label, value }: Cell, place: Place): number {
    const y = this.write(label, { start: place.start, y: place.y, width: place.width, size: 8, color: ink.soft });
    return this.write(value, { ...place, y });
  }

  /** The QR as squares of the page itself, joined along rows: sharp on any printer, and small. */
  private code(code: string, { start, y, size }: { start: number; y: number; size: number }) {
    const x = this.left(start, size);
    this.paper.roundedRect(x, y, size, size, 6).fill('#fff');
    const { modules } = QRCode.create(bytes(code), QR);
    const unit = size / (modules.size + 2 * QR.margin);
    const corner = { x: x + QR.margin * unit, y: y + QR.margin * unit };
    for (let row = 0; row < modules.size; row++) {
      for (let from = 0; from < modules.size;) {
        let to = from;
        while (to < modules.size && modules.get(row, to)) to++;
        if (to > from) this.paper.rect(corner.x + from * unit, corner.y + row * unit, (to - from) * unit, unit);
        from = to + 1;
      }
    }
    this.paper.fill('#000');
  }

  private foot(y: number) {
    this.paper
      .moveTo(page.margin, y)
      .lineTo(page.width - page.margin, y)
      .dash(3, { space: 3 })
      .lineWidth(0.75)
      .stroke(ink.line)
      .undash();
    this.write(this.words.note, { start: 0, y: y + 14, width: inner, size: 9.5, color: ink.soft, lines: 3 });
  }

  /** The left edge of something that starts so far from where lines start. */
  private left(start: number, width: number): number {
    return page.margin + (this.rtl ? inner - start - width : start);
  }

  private write(text: string, { start, width, color = ink.text, ...style }: Place): number {
    return writeText(this.paper, text, { ...style, x: this.left(start, width), width, color, rtl: this.rtl });
  }
}

interface Place {
  /** From where lines start, in points. */
  start: number;
  y: number;
  width: number;
  size: number;
  bold?: boolean;
  color?: string;
  align?: 'start' | 'end';
  lines?: number;
}
