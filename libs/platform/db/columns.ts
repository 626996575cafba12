// Column decorators that say what TypeORM would otherwise be told in five words each.
import { Column, PrimaryColumn, type ColumnOptions } from 'typeorm';

const number = { to: (v: unknown) => v, from: (v: unknown) => (v === null ? null : Number(v)) };

/** The organization, first in every key. */
export const OrgId = () => PrimaryColumn('uuid', { name: 'org_id' });
export const Id = () => PrimaryColumn('uuid');
export const IdColumn = (o: ColumnOptions = {}) => Column({ type: 'uuid', ...o });
export const TextColumn = (o: ColumnOptions = {}) => Column({ type: 'text', ...o });
export const InstantColumn = (o: ColumnOptions = {}) => Column({ type: 'timestamptz', precision: 3, ...o });
export const IntColumn = (o: ColumnOptions = {}) => Column({ type: 'int', ...o });
/** Minor units of money: bigint in Postgres, a safe integer here. */
export const AmountColumn = (o: ColumnOptions = {}) => Column({ type: 'bigint', transformer: number, ...o });
export const BooleanColumn = (o: ColumnOptions = {}) => Column({ type: 'boolean', ...o });
export const JsonColumn = (o: ColumnOptions = {}) => Column({ type: 'jsonb', ...o });
/** Raised by saveVersioned(), never by TypeORM. */
export const VersionColumn = () => Column({ type: 'int', default: 1 });
