// Personal data that booking keeps: who bought, who holds a ticket, what buyers answered, what was written when a booking was cancelled.
import { personalData } from '../kernel/personal-data.js';

export const bookingPersonalData = personalData('booking.booking', {
  contact_email: 'email',
  contact_name: 'name',
  answers: 'answer',
  cancel_note: 'answer',
});
export const ticketPersonalData = personalData('booking.ticket', { holder_email: 'email', holder_name: 'name' });
