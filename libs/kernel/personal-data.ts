// Personal data: each table that holds some says which columns; they stay out of domain events, logs and folds.

/**
 * What a column holds. `text` is written by organizers about their things (titles, labels): it is no person's,
 * but free text all the same, so domain events carry its SHA-256 and a damaged row is still found.
 */
export type PersonalKind = 'name' | 'email' | 'phone' | 'address' | 'ip' | 'device' | 'secret' | 'answer' | 'text';

export interface PersonalData {
  /** `schema.table`. */
  table: string;
  columns: Readonly<Record<string, PersonalKind>>;
}

const declared = new Map<string, PersonalData>();

/** Declares the personal columns of a table: `personalData('auth.account', { email: 'email', name: 'name' })`. */
export function personalData(table: string, columns: Record<string, PersonalKind>): PersonalData {
  if (declared.has(table)) throw new Error(`Personal data of ${table} is declared twice.`);
  const declaration = { table, columns };
  declared.set(table, declaration);
  return declaration;
}

export const personalDataOf = (table: string): PersonalData | undefined => declared.get(table);
export const declaredPersonalData = (): PersonalData[] => [...declared.values()];
