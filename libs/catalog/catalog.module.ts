// Catalog as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import './catalog.policy.js';
import { CatalogPort } from './catalog.port.js';
import { CatalogProcessor } from './catalog.processor.js';
import { CatalogRepository } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import { CheckoutFieldController } from './checkout-field.controller.js';
import { CheckoutFieldService } from './checkout-field.service.js';
import { EventController, PublicEventController } from './event.controller.js';
import { EventParts, EventService } from './event.service.js';
import { ListingRepository } from './listing.repository.js';
import { TicketTypeController } from './ticket-type.controller.js';
import { TicketTypeService } from './ticket-type.service.js';
import { VenueController } from './venue.controller.js';
import { VenueService } from './venue.service.js';

const services = [CatalogRepository, CatalogService, CheckoutFieldService, EventParts, EventService, ListingRepository, TicketTypeService, VenueService]; // prettier-ignore

@Module({
  imports: [AuthModule],
  providers: [...services, { provide: CatalogPort, useExisting: CatalogService }],
  exports: [CatalogPort, ...services],
})
export class CatalogModule {}

const controllers = [EventController, PublicEventController, TicketTypeController, CheckoutFieldController, VenueController];

@Module({ imports: [CatalogModule], controllers })
export class CatalogApi {}

@Module({ imports: [CatalogModule], providers: [CatalogProcessor] })
export class CatalogWorker {}
