// What is shown of a message: never whom it went to, never what it said.
import { EnumField, IdField, InstantField, TextField } from '../platform/http/fields.js';
import type { Message } from './message.repository.js';

export class MessageView {
  @IdField() id: string;
  @TextField({ max: 64, example: 'booking_confirmed' }) kind: string;
  @EnumField(['email']) channel: string;
  @EnumField(['queued', 'sent', 'delivered', 'bounced', 'failed']) status: string;
  @TextField({ optional: true, max: 200, description: 'Why it is not sent, as codes', example: 'recipient_refused 550 5.1.1' })
  reason?: string;
  @InstantField() createdAt: Date;
  @IdField({ optional: true, description: 'The booking it is about' }) bookingId?: string;
}

export function messageView({ id, kind, channel, status, reason, createdAt, about }: Message): MessageView {
  return {
    id,
    kind,
    channel,
    status,
    ...(reason !== null && { reason }),
    createdAt,
    ...(about.bookingId !== undefined && { bookingId: about.bookingId }),
  };
}
