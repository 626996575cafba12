// Payments' books: what it answers when verify asks whether its ledger balances and agrees with its payments and refunds.
import { Injectable } from '@nestjs/common';
import { BooksSpi, type Difference } from '../platform/eventstore/books.spi.js';
import { AnswersSpi } from '../platform/spi/spi.registry.js';
import { PaymentBooksRepository } from './books.repository.js';

@Injectable()
@AnswersSpi(BooksSpi)
export class PaymentBooks extends BooksSpi {
  constructor(private readonly books: PaymentBooksRepository) {
    super();
  }

  differences(orgId: string): Promise<Difference[]> {
    return this.books.differences(orgId);
  }
}
