// The server that is measured: Evently's api as it is, with one route more that does nothing; or with a rival in place of the batch.
import 'reflect-metadata';
import { Session } from 'node:inspector/promises';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { ApiModule } from '../../apps/api/api.module.js';
import { BookingHeld } from '../../libs/booking/booking.domain-events.js';
import { BookDto, BookingView } from '../../libs/booking/booking.dto.js';
import { Inventory } from '../../libs/booking/inventory.service.js';
import { InventoryRepository } from '../../libs/booking/inventory.repository.js';
import type { HoldRequest, HoldVerdict } from '../../libs/booking/inventory.rules.js';
import { Database } from '../../libs/platform/db/database.js';
import { EventPoke } from '../../libs/platform/eventstore/event.poke.js';
import { Hot } from '../../libs/platform/http/hot.routes.js';
import { Answers, CanAnyone, Idempotent, IdParam } from '../../libs/platform/http/route.decorators.js';
import { BACKLOG } from '../../libs/platform/http/serve.js';
import { makeServer } from '../../libs/platform/http/server.js';
import { Redis } from '../../libs/platform/redis/redis.js';
import { type Command, type Profile, type Rival, sampleReply } from './house.js';
import { summarize } from './profile.js';
import { LockPerBooking } from './rival.js';

@Controller('v1')
class NothingController {
  /** Passes everything a booking passes on its way in and out, and does nothing in between. */
  @Hot()
  @Post('events/:id/nothing')
  @CanAnyone('create', 'Booking')
  @Idempotent('own')
  @Answers(201, BookingView)
  async nothing(@IdParam('id') _id: string, @Body() _dto: BookDto) {
    return sampleReply;
  }
}

@Module({ imports: [ApiModule], controllers: [NothingController] })
class MeasuredModule {}

const app = await makeServer(MeasuredModule);
const rival = (process.env.BENCH_RIVAL ?? 'batch') as Rival;
const inventory = app.get(Inventory);
const db = app.get(Database);
if (rival === 'unqueued') {
  const stock = app.get(InventoryRepository);
  inventory.hold = async (request: HoldRequest) => told((await db.detached(() => stock.hold([request], true)))[0]);
} else if (rival !== 'batch') {
  const lock = new LockPerBooking(db, rival === 'redis-lock' ? app.get(Redis) : null);
  inventory.hold = async (request: HoldRequest) => told(await lock.hold(request));
}
await app.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG });

process.on('message', (command: Command) => void obey(command));
process.on('disconnect', () => process.exit());
process.send!({ port: (app.getHttpServer().address() as { port: number }).port });

/** A rival's domain events are told to the worker as the batch's are: or it would have the machine to itself. */
function told(verdict: HoldVerdict): HoldVerdict {
  app.get(EventPoke).tellOfBatch(BookingHeld.type);
  return verdict;
}

/** Connected only while profiling: a listening inspector slows every promise down. */
let session: Session | undefined;

async function obey(command: Command): Promise<void> {
  if (command === 'profile') {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
    process.send!({});
  } else {
    const { profile } = await session!.post('Profiler.stop');
    session!.disconnect();
    process.send!({ ...summarize(profile), profile } satisfies Profile);
  }
}
