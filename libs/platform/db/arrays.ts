// Array parameters of statements that are asked thousands of times a second, written as Postgres reads them (Array Input and Output Syntax in its
// documentation): pg would look into each element for what it is and what to quote. Where all are null there is no array at all, and nothing to
// read: in SQL NULL[i] is NULL, and unnest() fills up with NULL.

type Plain = string | number | boolean | null | undefined;

/** An array of what needs no quotes: ids, numbers, booleans, instants. */
export const bare = <T>(list: readonly T[], of: (one: T) => Plain): string | null =>
  write(list, (one) => {
    const value = of(one);
    return value === null || value === undefined ? null : String(value);
  });

/** An array of any texts. */
export const texts = <T>(list: readonly T[], of: (one: T) => string | null): string | null =>
  write(list, (one) => {
    const text = of(one);
    return text === null ? null : `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;
  });

/** An array of bytes. */
export const bytes = <T>(list: readonly T[], of: (one: T) => Buffer | null): string | null =>
  write(list, (one) => {
    const buffer = of(one);
    return buffer === null ? null : `"\\\\x${buffer.toString('hex')}"`;
  });

function write<T>(list: readonly T[], of: (one: T) => string | null): string | null {
  let some = false;
  let out = '';
  for (const one of list) {
    const element = of(one);
    some ||= element !== null;
    out += `,${element ?? 'NULL'}`;
  }
  return some ? `{${out.slice(1)}}` : null;
}
