// Bodies: JSON objects only, whole, valid UTF-8, without keys that poison prototypes; an empty body is no body.
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { edgeErrors, invalid } from '../../kernel/errors.js';

const broken = (detail: string) => invalid([{ pointer: '', detail }]);

/** Deeper than anything of ours; what is read later walks a value by calling itself, and would run out of stack. */
const DEPTH_MAX = 64;
const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = Buffer.from('"\\{}[]');

/** Counts brackets outside of strings: one look at each byte, before anything is built. */
function tooDeep(body: Buffer): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === OPEN || byte === OPEN_LIST) {
      if (++depth > DEPTH_MAX) return true;
    } else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
  }
  return false;
}

/** Replaces Fastify's parsers. `bodyLimit` is in bytes; @LargeBody raises it for a route. */
export function parseJson(fastify: FastifyInstance, bodyLimit: number): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    /^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i,
    { parseAs: 'buffer', bodyLimit },
    (request: FastifyRequest, body: Buffer, done) => {
      if (body.length === 0) return done(null, undefined);
      if (!isUtf8(body)) return done(broken('The body is not valid UTF-8.'));
      if (tooDeep(body)) return done(broken(`The body is nested deeper than ${DEPTH_MAX} levels.`));
      request.rawBody = body;
      return parse(request, body.toString('utf8'), (error, value) => {
        if (error) done(broken(`The body is not valid JSON: ${error.message}`.slice(0, 200)));
        else if (value === null || typeof value !== 'object' || Array.isArray(value)) done(broken('Send a JSON object.'));
        else done(null, value);
      });
    },
  );
  fastify.addContentTypeParser('*', (request: FastifyRequest, payload, done) => {
    const { headers } = request;
    if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return done(null, undefined);
    payload.resume();
    return done(edgeErrors.unsupportedMediaType());
  });
}
