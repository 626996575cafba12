// Redis: helps while it is there. Every use says what happens without it; nothing waits long for it.
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis as Client, type RedisOptions } from 'ioredis';
import { PlatformConfig } from '../config/platform.config.js';

const settings: RedisOptions = {
  lazyConnect: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: 250,
  socketTimeout: 1000, // Whoever says nothing for so long is gone: else each request would wait its 250 ms for him, and what was asked would pile up.
  connectTimeout: 2000,
  retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 5), 1000),
};

@Injectable()
export class Redis implements OnApplicationShutdown {
  private readonly client: Client;
  private readonly subscribers: Client[] = [];

  constructor(private readonly config: PlatformConfig) {
    this.client = new Client(config.redisUrl, { ...settings, keyPrefix: config.redisPrefix });
    this.client.on('error', () => undefined); // Told by `up`; each use has its own way on.
  }

  /** True while commands can be sent. */
  get up(): boolean {
    return this.client.status === 'ready';
  }

  /** Asks Redis; gives `otherwise` when it is away or slower than 250 ms. */
  async ask<T>(command: (client: Client) => Promise<T>, otherwise: T): Promise<T> {
    if (!this.up) return otherwise;
    try {
      return await command(this.client);
    } catch {
      return otherwise;
    }
  }

  /** Teaches a script, which is sent by its hash from then on; gives how to call it. */
  script<T>(
    name: string,
    lua: string,
  ): (client: Client, keys: readonly string[], args: readonly (string | number)[]) => Promise<T> {
    this.client.defineCommand(name, { lua });
    const call = (client: Client) => (client as unknown as Record<string, (...a: unknown[]) => Promise<T>>)[name].bind(client);
    return (client, keys, args) => call(client)(keys.length, ...keys, ...args);
  }

  /** Sends something nobody waits for. */
  hint(command: (client: Client) => Promise<unknown>): void {
    if (this.up) void command(this.client).catch(() => undefined);
  }

  /** Tells a channel something; nobody waits for it. */
  publish(channel: string, message: string): void {
    this.hint((r) => r.publish(this.config.redisPrefix + channel, message));
  }

  /** Hears a channel for as long as the process lives, through reconnects; returns how to stop. */
  async subscribe(name: string, heard: (message: string) => void): Promise<() => Promise<void>> {
    const channel = this.config.redisPrefix + name;
    const client = new Client(this.config.redisUrl, {
      ...settings,
      enableOfflineQueue: true,
      maxRetriesPerRequest: null,
      commandTimeout: undefined,
    });
    client.on('error', () => undefined);
    client.on('message', (from: string, message: string) => from === channel && heard(message));
    this.subscribers.push(client);
    void client.subscribe(channel).catch(() => undefined);
    return async () => client.disconnect();
  }

  /** What queue names in Redis start with. */
  get queuePrefix(): string {
    return `${this.config.redisPrefix}bull`;
  }

  /** Connection options for BullMQ, which wants its own clients. */
  connectionForQueues(): RedisOptions & { url: string } {
    return { url: this.config.redisUrl, maxRetriesPerRequest: null, retryStrategy: settings.retryStrategy };
  }

  onApplicationShutdown(): void {
    for (const client of [this.client, ...this.subscribers]) client.disconnect();
  }
}
