// One line of a booking: so many of one ticket type, or these seats of it.
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { AmountColumn, Id, IdColumn, IntColumn, OrgId } from '../platform/db/columns.js';

@Entity({ schema: 'booking', name: 'item' })
export class Item {
  @OrgId() orgId: string;
  @Id() bookingId: string;
  @PrimaryColumn('smallint') line: number;
  @IdColumn() ticketTypeId: string;
  @IdColumn() poolId: string;
  @IntColumn() quantity: number;
  @AmountColumn() unitPrice: number;
  @AmountColumn() total: number;
  @Column({ type: 'text', array: true, nullable: true }) seatIds: string[] | null;
}
