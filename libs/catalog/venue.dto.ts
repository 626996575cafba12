// Venues as they come in and go out.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Exclude } from 'class-transformer';
import type { FastifyRequest } from 'fastify';
import { IdField, InstantField, IntField, NumberField, ObjectField, TextField, TimeZoneField } from '../platform/http/fields.js';
import { seatMapSchema } from './seat-map.rules.js';
import type { Place, VenueValues } from './venue.entity.js';
import type { VenueWithMap } from './venue.service.js';

const { $schema: _schema, title: _title, ...mapShape } = seatMapSchema;
/** A seat map in the OpenAPI document. */
export const seatMapDocument = mapShape as ApiPropertyOptions;

export class LocationDto implements Place {
  @NumberField({ min: -90, max: 90, example: 52.52, description: 'Degrees north, WGS 84' }) lat: number;
  @NumberField({ min: -180, max: 180, example: 13.41, description: 'Degrees east, WGS 84' }) lon: number;
}

export class CreateVenueDto {
  @TextField() name: string;
  @TextField({ optional: true, nullable: true, max: 500 }) address?: string | null;
  @TimeZoneField() timeZone: string;
  @ObjectField(() => LocationDto, { optional: true, nullable: true }) location?: LocationDto | null;
  /** Left out of copying and checking by class: 50 000 seats have a checker of their own. Read it with `@BodyPart('seatMap')`. */
  @ApiProperty({ ...seatMapDocument, required: false, nullable: true } as ApiPropertyOptions)
  @Exclude({ toClassOnly: true })
  seatMap?: unknown;
}

export class ChangeVenueDto implements Partial<VenueValues> {
  @TextField({ optional: true }) name?: string;
  @TextField({ optional: true, nullable: true, max: 500 }) address?: string | null;
  @TimeZoneField({ optional: true }) timeZone?: string;
  @ObjectField(() => LocationDto, { optional: true, nullable: true }) location?: LocationDto | null;
}

/** A member of the body as it came, or without a name all of it. */
export const BodyPart = createParamDecorator((member: string | undefined, context: ExecutionContext): unknown => {
  const body: unknown = context.switchToHttp().getRequest<FastifyRequest>().body;
  return member === undefined ? body : (body as Record<string, unknown> | null | undefined)?.[member];
});

export class SeatMapView {
  @IntField({ description: 'Counts this venue’s imports' }) version: number;
  @TextField({ description: 'SHA-256 of the map as it is exported, in hex' }) sha256: string;
  @IntField() seats: number;
  @InstantField() importedAt: Date;
}

export class VenueView {
  @IdField() id: string;
  @IdField() orgId: string;
  @TextField() name: string;
  @TextField({ nullable: true, max: 500 }) address: string | null;
  @TimeZoneField() timeZone: string;
  @ObjectField(() => LocationDto, { nullable: true }) location: LocationDto | null;
  @ObjectField(() => SeatMapView, { nullable: true, description: 'Its newest seat map; the map itself is at .../seat-map' })
  seatMap: SeatMapView | null;
  @InstantField() createdAt: Date;
  @IntField({ min: 1 }) version: number;
}

export function venueView({ venue, seatMap }: VenueWithMap): VenueView {
  const { id, orgId, name, address, timeZone, location, createdAt, version } = venue;
  const map = seatMap && {
    version: seatMap.version,
    sha256: seatMap.sha256,
    seats: seatMap.seats,
    importedAt: seatMap.createdAt,
  };
  return { id, orgId, name, address, timeZone, location, seatMap: map, createdAt, version };
}
