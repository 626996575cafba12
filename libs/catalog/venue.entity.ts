// Venue: where events take place, with the seat maps it had.
import { Entity, PrimaryColumn } from 'typeorm';
import { Id, InstantColumn, IntColumn, OrgId, TextColumn, VersionColumn } from '../platform/db/columns.js';
import './catalog.personal-data.js';

export interface Place {
  /** WGS 84 degrees. */
  lat: number;
  lon: number;
}

export interface VenueValues {
  name: string;
  address: string | null;
  timeZone: string;
  location: Place | null;
}

@Entity({ schema: 'catalog', name: 'venue' })
export class Venue {
  @OrgId() orgId: string;
  @Id() id: string;
  @TextColumn() name: string;
  @TextColumn({ nullable: true }) address: string | null;
  @TextColumn() timeZone: string;
  @IntColumn({ type: 'double precision', nullable: true }) latitude: number | null;
  @IntColumn({ type: 'double precision', nullable: true }) longitude: number | null;
  @IntColumn({ nullable: true }) seatMapVersion: number | null;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  static open(orgId: string, id: string, createdAt: Date, { location, ...values }: VenueValues): Venue {
    const venue = Object.assign(new Venue(), { orgId, id, createdAt, seatMapVersion: null, version: 1, ...values });
    venue.location = location;
    return venue;
  }

  get location(): Place | null {
    return this.latitude === null || this.longitude === null ? null : { lat: this.latitude, lon: this.longitude };
  }

  set location(place: Place | null) {
    this.latitude = place?.lat ?? null;
    this.longitude = place?.lon ?? null;
  }

  change(values: Partial<VenueValues>): void {
    for (const [name, value] of Object.entries(values)) if (value !== undefined) Object.assign(this, { [name]: value });
  }
}

/** One import of a seat map. Written once, never changed. */
@Entity({ schema: 'catalog', name: 'seat_map' })
export class SeatMapImport {
  @OrgId() orgId: string;
  @PrimaryColumn('uuid') venueId: string;
  @PrimaryColumn('int') version: number;
  /** Of `map`, in hex. */
  @TextColumn() sha256: string;
  @IntColumn() seats: number;
  /** JSON, as compact as can be. */
  @TextColumn() map: string;
  @InstantColumn() createdAt: Date;
}
