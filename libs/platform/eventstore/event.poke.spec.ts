// The poke: consumers hear of every commit, caches of streams only, and as many commits as one turn brings are one message.
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../../test/harness.js';
import { Redis } from '../redis/redis.js';
import { EventPoke, type Committed } from './event.poke.js';

const open = () => new Redis({ redisUrl: process.env.TEST_REDIS_URL!, redisPrefix: `poke-spec-${process.pid}:` } as never);
const redises: Redis[] = [];

beforeAll(async () => {
  redises.push(open(), open());
  await until('Redis', async () => redises.every((redis) => redis.up));
});
afterAll(() => redises.forEach((redis) => redis.onApplicationShutdown()));

it('tells other processes of streams and of batches, and a cache of streams alone', async () => {
  const [here, there] = redises.map((redis) => new EventPoke(redis));
  const heard = { cache: [] as Committed[][], consumer: [] as Committed[][] };
  await there.listenToStreams((told) => void heard.cache.push(told));
  await there.listen((told) => void heard.consumer.push(told));
  let sent = 0;
  const both = () => {
    sent += 1;
    here.tell('event.changed', `event:${sent}`);
    here.tell('event.published', `event:${sent}`);
    here.tellOfBatch('booking.held');
    here.tellOfBatch('booking.held');
  };
  await until('both channels are heard', async () => {
    both();
    return heard.cache.length > 0 && heard.consumer.length > 1;
  });
  const last = sent;
  await turn();
  both();
  await until('the last is heard by all', async () => {
    const told = (list: Committed[][]) => list.flat().some(({ stream }) => stream === `event:${last + 1}`);
    return told(heard.cache) && told(heard.consumer);
  });
  expect(heard.cache.at(-1)).toEqual([
    { type: 'event.changed', stream: `event:${last + 1}` },
    { type: 'event.published', stream: `event:${last + 1}` },
  ]);
  expect(heard.cache.flat().some(({ type }) => type === 'booking.held')).toBe(false);
  expect(heard.consumer).toContainEqual([{ type: 'booking.held', stream: '' }]);
});
