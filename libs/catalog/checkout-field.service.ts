// Checkout fields at work: asked, reworded, and archived, never deleted, since answers refer to them.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { Clock } from '../kernel/time.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { CheckoutFieldAdded, CheckoutFieldChanged } from './catalog.domain-events.js';
import { catalogErrors } from './catalog.errors.js';
import { CatalogRepository, type EventPath } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import { CheckoutField, type CheckoutFieldValues } from './checkout-field.entity.js';
import type { Event } from './event.entity.js';
import { lastPosition } from './event.rules.js';

/** More questions than anybody answers. */
const FIELDS_MAX = 50;

export type FieldPath = EventPath & { fieldId: string };
export type NewField = Omit<CheckoutFieldValues, 'position' | 'choices'> & { position?: number; choices?: string[] | null };
export type FieldChange = Partial<Pick<CheckoutFieldValues, 'label' | 'required' | 'choices' | 'position'>>;

@Injectable()
export class CheckoutFieldService {
  constructor(
    private readonly db: Database,
    private readonly events: EventStore,
    private readonly clock: Clock,
    private readonly catalog: CatalogService,
    private readonly repository: CatalogRepository,
  ) {}

  async list(at: EventPath): Promise<CheckoutField[]> {
    await this.catalog.visible('read', at);
    return this.live(at);
  }

  async get(at: FieldPath): Promise<CheckoutField> {
    await this.catalog.visible('read', at);
    return this.fieldOf(at);
  }

  create(at: EventPath, wanted: NewField): Promise<CheckoutField> {
    return this.catalog.change(at, 'update', async (event) => {
      event.demandAlive();
      const fields = await this.live(at);
      if (fields.length >= FIELDS_MAX) throw catalogErrors.limitExceeded({ limit: FIELDS_MAX });
      const position = wanted.position ?? lastPosition(fields);
      return this.add(at, { ...wanted, choices: wanted.choices ?? null, position });
    });
  }

  change(at: FieldPath, version: number, change: FieldChange): Promise<CheckoutField> {
    return this.catalog.change(at, 'update', async (event) => {
      event.demandAlive();
      const field = await this.fieldOf(at);
      field.demandVersion(version);
      field.change(change);
      return this.save(field);
    });
  }

  /** Asks it no more. */
  async archive(at: FieldPath): Promise<void> {
    await this.catalog.change(at, 'update', async (event) => {
      event.demandAlive();
      const field = await this.fieldOf(at);
      field.archive(this.clock.now());
      return this.save(field);
    });
  }

  /** Gives a copied event the same questions. */
  async copy(source: Event, target: Event): Promise<void> {
    for (const { label, kind, required, choices, per, position } of await this.live({
      orgId: source.orgId,
      eventId: source.id,
    })) {
      await this.add({ orgId: target.orgId, eventId: target.id }, { label, kind, required, choices, per, position });
    }
  }

  private async add(at: EventPath, values: CheckoutFieldValues): Promise<CheckoutField> {
    const field = CheckoutField.of({ ...at, id: newId(at.orgId), createdAt: this.clock.now() }, values);
    await this.db.insert(field);
    await this.events.announce(CheckoutFieldAdded({ ...at, fieldId: field.id }), field);
    return field;
  }

  private async save(field: CheckoutField): Promise<CheckoutField> {
    const { orgId, eventId, id: fieldId } = field;
    await this.db.saveVersioned(field);
    await this.events.announce(CheckoutFieldChanged({ orgId, eventId, fieldId }), field);
    return field;
  }

  private async live(at: EventPath): Promise<CheckoutField[]> {
    return (await this.repository.allOf(CheckoutField, at)).filter((field) => field.archivedAt === null);
  }

  private async fieldOf({ fieldId, ...at }: FieldPath): Promise<CheckoutField> {
    const field = await this.repository.findOf(CheckoutField, at, fieldId);
    if (!field || field.archivedAt) throw edgeErrors.notFound();
    return field;
  }
}
