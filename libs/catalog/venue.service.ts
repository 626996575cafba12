// Venues at work: made, changed, and given seat maps; what the public sees of a venue changes every event there.
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { SeatMapImported, VenueChanged, VenueCreated } from './catalog.domain-events.js';
import { CatalogRepository } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import { flatSeats, seatMapProblems, type SeatMap } from './seat-map.rules.js';
import { SeatMapImport, Venue, type VenueValues } from './venue.entity.js';

export interface VenuePath {
  orgId: string;
  venueId: string;
}

/** What a venue says of its newest seat map, without the map. */
export type SeatMapSummary = Pick<SeatMapImport, 'version' | 'sha256' | 'seats' | 'createdAt'>;

export interface VenueWithMap {
  venue: Venue;
  seatMap: SeatMapSummary | null;
}

@Injectable()
export class VenueService {
  constructor(
    private readonly db: Database,
    private readonly access: Access,
    private readonly events: EventStore,
    private readonly clock: Clock,
    private readonly catalog: CatalogService,
    private readonly repository: CatalogRepository,
  ) {}

  /** Makes a venue, with a seat map where one is given. Refuses a wrong map with pointers under /seatMap. */
  async create(orgId: string, values: VenueValues, seatMap: unknown): Promise<VenueWithMap> {
    this.access.demand('create', 'Venue', { orgId });
    if (seatMap !== undefined && seatMap !== null) demandSeatMap(seatMap, '/seatMap');
    return this.db.transaction(async () => {
      const venue = Venue.open(orgId, newId(orgId), this.clock.now(), values);
      const map = seatMap ? this.importOf(venue, seatMap as SeatMap) : null;
      await this.db.insert(venue);
      if (map) await this.db.insert(map);
      await this.events.announce(VenueCreated({ orgId, venueId: venue.id }), venue, ...(map ? [map] : []));
      return { venue, seatMap: map };
    });
  }

  async get(at: VenuePath): Promise<VenueWithMap> {
    const venue = await this.visible(at);
    return { venue, seatMap: await this.summaryOf(venue) };
  }

  async list(orgId: string, { limit, cursor }: PageRequest): Promise<Page<VenueWithMap>> {
    this.access.demand('read', 'Venue', { orgId });
    const after = decodeCursor(cursor, 1);
    const venues = await this.repository.venues(orgId, after?.[0], limit + 1);
    const page = pageOf(venues, limit, (venue) => [venue.id], (venue) => venue); // prettier-ignore
    const summaries = await this.repository.seatMaps(orgId, page.items.map((venue) => venue.id)); // prettier-ignore
    return { ...page, items: page.items.map((venue) => ({ venue, seatMap: summaries.get(venue.id) ?? null })) };
  }

  async change(at: VenuePath, version: number, values: Partial<VenueValues>): Promise<VenueWithMap> {
    return this.db.transaction(async () => {
      const venue = await this.locked(at, version);
      venue.change(values);
      await this.db.saveVersioned(venue);
      await this.events.announce(VenueChanged(at), venue);
      for (const eventId of await this.repository.liveAt(at.orgId, at.venueId)) await this.catalog.revise(at.orgId, eventId);
      return { venue, seatMap: await this.summaryOf(venue) };
    });
  }

  /**
   * Takes a seat map for events to come; those that sell seats already keep theirs. The same map again changes nothing.
   * `version` is the venue's, where the caller read one.
   */
  async importSeatMap(at: VenuePath, version: number | null, map: unknown): Promise<VenueWithMap> {
    await this.visible(at, 'update');
    demandSeatMap(map, '');
    return this.db.transaction(async () => {
      const venue = await this.locked(at, version);
      const before = await this.summaryOf(venue);
      const seatMap = this.importOf(venue, map);
      if (before?.sha256 === seatMap.sha256) return { venue: await this.visible(at), seatMap: before };
      await this.db.insert(seatMap);
      await this.db.saveVersioned(venue);
      await this.events.announce(SeatMapImported(at), venue, seatMap);
      return { venue, seatMap };
    });
  }

  /** The newest seat map as JSON, with the venue's version. */
  async exportSeatMap(at: VenuePath): Promise<{ map: string; version: number }> {
    const venue = await this.visible(at);
    const map = venue.seatMapVersion === null ? null : await this.repository.seatMap(at, venue.seatMapVersion);
    if (map === null) throw edgeErrors.notFound({}, 'This venue has no seat map yet.');
    return { map, version: venue.version };
  }

  private importOf(venue: Venue, seatMap: SeatMap): SeatMapImport {
    const map = JSON.stringify(seatMap);
    venue.seatMapVersion = (venue.seatMapVersion ?? 0) + 1;
    return Object.assign(new SeatMapImport(), {
      orgId: venue.orgId,
      venueId: venue.id,
      version: venue.seatMapVersion,
      sha256: createHash('sha256').update(map).digest('hex'),
      seats: flatSeats(seatMap).length,
      map,
      createdAt: this.clock.now(),
    });
  }

  private async summaryOf({ orgId, id }: Venue): Promise<SeatMapSummary | null> {
    return (await this.repository.seatMaps(orgId, [id])).get(id) ?? null;
  }

  private async visible({ orgId, venueId }: VenuePath, action = 'read'): Promise<Venue> {
    const venue = await this.db.find(Venue, { orgId, id: venueId });
    this.access.demand(action, 'Venue', venue ?? {});
    if (!venue) throw edgeErrors.notFound();
    return venue;
  }

  private async locked(at: VenuePath, version: number | null): Promise<Venue> {
    await this.visible(at, 'update');
    const venue = await this.db.findForUpdate(Venue, { orgId: at.orgId, id: at.venueId });
    if (!venue) throw edgeErrors.notFound();
    if (version !== null && venue.version !== version) throw edgeErrors.staleVersion();
    return venue;
  }
}

function demandSeatMap(map: unknown, pointer: string): asserts map is SeatMap {
  const problems = seatMapProblems(map, pointer);
  if (problems.length > 0) throw invalid(problems.slice(0, 50));
}
