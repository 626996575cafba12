// Bare Fastify: the baseline. It parses a body, compares nothing, and sends back the bytes it was given at its start.
import Fastify from 'fastify';

const { reply = '{}', type = 'application/json; charset=utf-8' } = JSON.parse(process.argv[2] ?? '{}') as {
  reply?: string;
  type?: string;
};
const bytes = Buffer.from(reply);
const server = Fastify();
server.post('/post', (_request, out) => out.code(201).type(type).send(bytes));
server.get('/get', (_request, out) => out.type(type).send(bytes));
await server.listen({ port: 0, host: '127.0.0.1' });
process.send!({ port: (server.server.address() as { port: number }).port });
process.on('disconnect', () => process.exit());
