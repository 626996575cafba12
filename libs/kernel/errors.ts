// Errors: each context declares its refusals in one table; one filter turns them into RFC 9457 problems, socket replies or retries.

/** What kind of no it is, with its HTTP status. Nothing else decides a status. */
export const statusOf = {
  invalid: 400,
  unauthenticated: 401,
  payment: 402,
  forbidden: 403,
  notFound: 404,
  methodNotAllowed: 405,
  conflict: 409,
  gone: 410,
  stale: 412,
  tooLarge: 413,
  mediaType: 415,
  reused: 422,
  preconditionRequired: 428,
  tooMany: 429,
  unavailable: 503,
} as const;

export type ErrorKind = keyof typeof statusOf;

/** One thing wrong with a body, at a JSON pointer (RFC 6901). */
export interface FieldError {
  pointer: string;
  detail: string;
}

/**
 * A refusal with a stable public code. Thrown anywhere, presented by the one filter of the edge it reaches. It is an answer and no fault, so it remembers no
 * stack: with a sold out event refusals are most of what is answered, and walking the stack took a twentieth of each.
 */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly kind: ErrorKind,
    detail: string,
    /** Further members of the problem document (RFC 9457, section 3.2). */
    readonly extra: Record<string, unknown> = {},
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'Refusal';
  }

  get status(): number {
    return statusOf[this.kind];
  }
}

type Row = readonly [kind: ErrorKind, detail: string];
type Table<T> = { [K in keyof T]: (extra?: Record<string, unknown>, detail?: string) => Refusal };

const declared = new Map<string, ErrorKind>();

/** The HTTP status a public code is answered with; undefined for a code that no table declares. */
export function statusOfCode(code: string): number | undefined {
  const kind = declared.get(code);
  return kind && statusOf[kind];
}

const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/**
 * A context's refusals: `errors({ seatTaken: ['conflict', 'A seat you asked for is taken. Choose another.'] })`.
 * The key in snake case is the public code; the sentence says what to do.
 */
export function errors<T extends Record<string, Row>>(table: T): Table<T> {
  const out = {} as Table<T>;
  for (const key of Object.keys(table) as (keyof T & string)[]) {
    const [kind, sentence] = table[key];
    declared.set(snake(key), kind);
    out[key] = (extra, detail) => new Refusal(snake(key), kind, detail ?? sentence, extra);
  }
  return out;
}

/** Refusals that belong to no context: what the edges themselves say. */
export const edgeErrors = errors({
  invalidRequest: ['invalid', 'The request is not valid. See errors.'],
  idempotencyKeyRequired: [
    'invalid',
    'Send an Idempotency-Key header: any text of your own, up to 255 characters, new for each booking.',
  ],
  unauthenticated: ['unauthenticated', 'Log in, or send a valid bearer token.'],
  forbidden: ['forbidden', 'You may see this, but not do that with it.'],
  notFound: ['notFound', 'There is nothing here, or nothing that you may see.'],
  methodNotAllowed: ['methodNotAllowed', 'This address does not take that method. See the Allow header.'],
  busy: ['conflict', 'The same thing is being worked on right now. Try again in a moment, with the same key.'],
  staleVersion: ['stale', 'Someone changed this since you read it. Read it again and send its new ETag in If-Match.'],
  ifMatchRequired: ['preconditionRequired', 'Send the ETag you read in an If-Match header.'],
  payloadTooLarge: ['tooLarge', 'The body is too large.'],
  unsupportedMediaType: ['mediaType', 'Send JSON with Content-Type: application/json.'],
  idempotencyKeyReused: ['reused', 'This Idempotency-Key was used with another body. Use a new key for a new request.'],
  rateLimited: ['tooMany', 'Too many requests. Wait for Retry-After seconds.'],
  overloaded: ['unavailable', 'More requests are waiting than can be served in time. Try again after Retry-After seconds.'],
  unavailable: ['unavailable', 'Something this needs is away for a moment. Nothing was half done: try again with the same key.'],
});

/** A 400 with its list of pointers. */
export const invalid = (list: FieldError[]): Refusal => edgeErrors.invalidRequest({ errors: list });
