// An organizer's payments.
import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Answers, Can, IdParam, Refuses } from '../platform/http/route.decorators.js';
import { PaymentListService } from './payment-list.service.js';
import { PaymentsQuery, paymentView, PaymentView } from './payments.dto.js';

@ApiTags('Payments')
@Controller('v1/organizations/:o/payments')
export class PaymentsController {
  constructor(private readonly payments: PaymentListService) {}

  @Get()
  @Can('read', 'Payment')
  @Answers(200, PaymentView, 'list')
  @Refuses('not_found')
  async list(@IdParam('o') orgId: string, @Query() query: PaymentsQuery) {
    const page = await this.payments.list(orgId, query);
    return { ...page, items: page.items.map(paymentView) };
  }
}
