// Promo codes at work: made, changed and archived by organizers; each change revises the event, so that no booking mixes old and new.
import { Injectable } from '@nestjs/common';
import { CatalogPort } from '../catalog/catalog.port.js';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { Clock } from '../kernel/time.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { PromoCodeAdded, PromoCodeArchived, PromoCodeChanged } from './pricing.domain-events.js';
import { pricingErrors } from './pricing.errors.js';
import { PromoCode, type PromoCodeValues } from './promo-code.entity.js';
import { PromoCodeRepository } from './promo-code.repository.js';

/** A bound on what one event carries: codes for each guest of a big one. */
const CODES_MAX = 100_000;

export interface EventPath {
  orgId: string;
  eventId: string;
}
export type PromoPath = EventPath & { promoCodeId: string };
/** An amount may name its currency, which must then be the event's. */
export type Wanted = Partial<PromoCodeValues> & { currency?: string };

@Injectable()
export class PromoCodeService {
  constructor(
    private readonly db: Database,
    private readonly events: EventStore,
    private readonly clock: Clock,
    private readonly catalog: CatalogPort,
    private readonly repository: PromoCodeRepository,
  ) {}

  create({ orgId, eventId }: EventPath, code: string, { currency, ...values }: Wanted): Promise<PromoCode> {
    return this.change({ orgId, eventId }, async (eventCurrency) => {
      demandCurrency(currency, eventCurrency);
      if (await this.repository.byCode(orgId, eventId, code)) throw pricingErrors.slugTaken();
      if ((await this.repository.countLive(orgId, eventId)) >= CODES_MAX) throw pricingErrors.limitExceeded({ limit: CODES_MAX });
      const place = { orgId, id: newId(orgId), eventId, code, currency: eventCurrency, createdAt: this.clock.now() };
      const promo = PromoCode.of(place, { ...nothing, ...withoutUndefined(values) });
      await this.db.insert(promo);
      await this.events.announce(PromoCodeAdded({ orgId, eventId, promoCodeId: promo.id }), promo);
      return promo;
    });
  }

  async get(at: PromoPath): Promise<PromoCode> {
    await this.catalog.demandEvent('read', at.orgId, at.eventId);
    return this.promoOf(at);
  }

  async list({ orgId, eventId }: EventPath, page: PageRequest): Promise<Page<PromoCode>> {
    await this.catalog.demandEvent('read', orgId, eventId);
    return pageOf(await this.repository.page(orgId, eventId, page), page.limit, (promo) => [promo.id], (promo) => promo); // prettier-ignore
  }

  edit(at: PromoPath, version: number, { currency, ...values }: Wanted): Promise<PromoCode> {
    return this.change(at, async (eventCurrency) => {
      const promo = await this.promoOf(at);
      promo.demandVersion(version);
      demandCurrency(currency, eventCurrency);
      if (typeof values.amount === 'number') promo.currency = eventCurrency;
      promo.change(values);
      await this.db.saveVersioned(promo);
      await this.events.announce(PromoCodeChanged(at), promo);
      return promo;
    });
  }

  /** Nobody can use it any more; bookings that did keep their price. */
  async archive(at: PromoPath): Promise<void> {
    await this.change(at, async () => {
      const promo = await this.promoOf(at);
      promo.archive(this.clock.now());
      await this.db.saveVersioned(promo);
      await this.events.announce(PromoCodeArchived(at), promo);
    });
  }

  /** One change of an event's codes at a time: revising first keeps the event locked until the end. The work is told its currency. */
  private change<T>({ orgId, eventId }: EventPath, work: (currency: string) => Promise<T>): Promise<T> {
    return this.db.transaction(async () => {
      await this.catalog.demandEvent('update', orgId, eventId);
      await this.catalog.revise(orgId, eventId);
      return work(await this.catalog.currencyOf(orgId, eventId));
    });
  }

  private async promoOf({ orgId, eventId, promoCodeId }: PromoPath): Promise<PromoCode> {
    const promo = await this.repository.byId(orgId, eventId, promoCodeId);
    if (!promo) throw edgeErrors.notFound();
    return promo;
  }
}

const nothing: PromoCodeValues = { percent: null, amount: null, maxUses: null, maxPerPerson: null, from: null, until: null };

const withoutUndefined = (values: Partial<PromoCodeValues>): Partial<PromoCodeValues> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

function demandCurrency(given: string | undefined, currency: string): void {
  if (given !== undefined && given !== currency) {
    throw invalid([{ pointer: '/amount/currency', detail: `Send an amount in the event's currency, ${currency}.` }]);
  }
}
