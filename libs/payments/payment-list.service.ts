// What organizers see of their payments.
import { Injectable } from '@nestjs/common';
import { invalid } from '../kernel/errors.js';
import { isId } from '../kernel/ids.js';
import { decodeCursor, type Page, pageOf, type PageRequest } from '../kernel/pages.js';
import { Access } from '../platform/access/access.js';
import { Payment } from './payment.entity.js';
import { PaymentRepository } from './payment.repository.js';
import { Refund } from './refund.entity.js';

export interface PaymentWithRefunds {
  payment: Payment;
  refunds: Refund[];
}

@Injectable()
export class PaymentListService {
  constructor(
    private readonly access: Access,
    private readonly payments: PaymentRepository,
  ) {}

  /** Newest first. 404 for another organization. */
  async list(orgId: string, query: PageRequest & { bookingId?: string }): Promise<Page<PaymentWithRefunds>> {
    this.access.demand('read', 'Payment', { orgId }, { type: 'Organization', object: { orgId } });
    const [before = null] = decodeCursor(query.cursor, 1) ?? [];
    if (before !== null && !isId(before))
      throw invalid([{ pointer: '/cursor', detail: 'Use the nextCursor of the page before.' }]);
    const { bookingId, limit } = query;
    const rows = await this.payments.list(orgId, { bookingId, before, limit });
    const refunds = await Promise.all(rows.map((p) => (p.refundedAmount || p.status === 'succeeded' ? this.refundsOf(p) : [])));
    return pageOf(
      rows.map((payment, i) => ({ payment, refunds: refunds[i] })),
      limit,
      (row) => [row.payment.id],
      (row) => row,
    );
  }

  private refundsOf(payment: Payment): Promise<Refund[]> {
    return this.payments.refundsOf(payment.orgId, payment.id);
  }
}
