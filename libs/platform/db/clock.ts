// The injected clock: follows platform.now() of the database, so a machine whose own clock is wrong decides nothing.
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, machineMs } from '../../kernel/time.js';
import { Database } from './database.js';

const RESYNC_MS = 30_000;

@Injectable()
export class DatabaseClock extends Clock implements OnApplicationBootstrap, OnApplicationShutdown {
  private offsetMs = 0;
  private timer?: NodeJS.Timeout;

  constructor(private readonly db: Database) {
    super();
  }

  now(): Date {
    return new Date(machineMs() + this.offsetMs);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.sync();
    this.timer = setInterval(() => void this.sync().catch(() => undefined), RESYNC_MS);
    this.timer.unref();
  }

  /** Takes the offset anew: the database's time against the middle of the round trip. */
  async sync(): Promise<void> {
    const asked = machineMs();
    const [{ now }] = await this.db.query<{ now: Date }>('SELECT platform.now() AS now');
    this.offsetMs = now.getTime() - (asked + machineMs()) / 2;
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }
}
