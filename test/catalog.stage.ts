// A stage for specs about what is sold: catalog and pricing over real HTTP, with real accounts, above a stock that writes down what it is told.
import { Injectable, Module, type Type } from '@nestjs/common';
import { AuthApi } from '../libs/auth/auth.module.js';
import { CatalogApi } from '../libs/catalog/catalog.module.js';
import { catalogErrors, StockSpi } from '../libs/catalog/catalog.spi.js';
import { PlatformModule } from '../libs/platform/platform.module.js';
import { AnswersSpi } from '../libs/platform/spi/spi.registry.js';
import { PricingApi } from '../libs/pricing/pricing.module.js';
import { Harness, type CallOptions, type Reply } from './harness.js';

type Told = { [K in keyof StockSpi]: { call: K } & Parameters<StockSpi[K]>[0] }[keyof StockSpi];

/** What the stock was told, in order. Pools in `full` refuse another capacity. */
@Injectable()
@AnswersSpi(StockSpi)
export class ToldStock extends StockSpi {
  static readonly told: Told[] = [];
  static readonly full = new Set<string>();

  async poolCreated(pool: Parameters<StockSpi['poolCreated']>[0]): Promise<void> {
    ToldStock.told.push({ call: 'poolCreated', ...pool });
  }
  async capacityChanged(pool: Parameters<StockSpi['capacityChanged']>[0]): Promise<void> {
    if (ToldStock.full.has(pool.poolId)) throw catalogErrors.capacityBelowSold();
    ToldStock.told.push({ call: 'capacityChanged', ...pool });
  }
  async seatsPlaced(seats: Parameters<StockSpi['seatsPlaced']>[0]): Promise<void> {
    ToldStock.told.push({ call: 'seatsPlaced', ...seats });
  }
  async eventRevised(event: Parameters<StockSpi['eventRevised']>[0]): Promise<void> {
    ToldStock.told.push({ call: 'eventRevised', ...event });
  }
}

@Module({ imports: [PlatformModule, AuthApi, CatalogApi, PricingApi], providers: [ToldStock] })
class StageModule {}

const password = 'correct horse battery staple';

export interface Problem {
  code: string;
  errors?: { pointer: string; detail: string }[];
}

/** Somebody who calls, within one organization. */
export interface Caller {
  orgId: string;
  token: string;
  email: string;
}

// What replies hold is what the test asserts about them.
type Body = Record<string, never> & { id: string; version: number } & Problem;

export class Stage {
  private made = 0;

  private constructor(readonly house: Harness) {}

  /** Above a stock that is only told, or with other modules above the whole house. */
  static async open(api: Type = StageModule, worker?: Type): Promise<Stage> {
    return new Stage(await Harness.start(api, worker));
  }

  close(): Promise<void> {
    return this.house.stop();
  }

  call<T = Body>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Reply<T>> {
    return this.house.call<T>(method, path, body, options);
  }

  /** As somebody, at a path of their organization. */
  at<T = Body>(who: Caller, method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Reply<T>> {
    return this.call<T>(method, `/v1/organizations/${who.orgId}${path}`, body, { token: who.token, ...options });
  }

  /** Creates something that must work; returns the whole resource. */
  make<T = Body>(who: Caller, path: string, body: unknown): Promise<T> {
    return this.must<T>(201, 'POST', `/v1/organizations/${who.orgId}${path}`, body, who.token);
  }

  async account(): Promise<{ id: string; email: string; token: string }> {
    const login = { email: `person-${++this.made}@example.org`, password };
    const { id } = await this.must(201, 'POST', '/v1/auth/register', { ...login, name: 'A Person' });
    return { id, email: login.email, token: await this.tokenOf(login.email) };
  }

  /** A new organization with its owner. */
  async owner(): Promise<Caller> {
    const { token, email } = await this.account();
    const body = { name: 'An Organization', slug: `organization-${this.made}` };
    const { id: orgId } = await this.must(201, 'POST', '/v1/organizations', body, token);
    return { orgId, token, email };
  }

  /** The same with a new token, where the clock has gone on. */
  async again(who: Caller): Promise<Caller> {
    return { ...who, token: await this.tokenOf(who.email) };
  }

  private async tokenOf(email: string): Promise<string> {
    return (await this.must<{ accessToken: string }>(200, 'POST', '/v1/auth/login', { email, password })).accessToken;
  }

  /** A member of somebody's organization. */
  async member(of: Caller, role: 'manager' | 'staff'): Promise<Caller> {
    const { id, token, email } = await this.account();
    const sql = `INSERT INTO auth.member (org_id, account_id, role, joined_at) VALUES ($1, $2, $3, platform.now())`;
    await this.house.sql.query(sql, [of.orgId, id, role]);
    return { orgId: of.orgId, token, email };
  }

  /** A program of somebody's organization. */
  async program(of: Caller, ...scopes: string[]): Promise<Caller> {
    const { key } = await this.make<{ key: string }>(of, '/api-keys', { name: 'A program', scopes });
    return { ...of, token: key };
  }

  private async must<T = Body>(status: number, ...[method, path, body, token]: [string, string, unknown, string?]): Promise<T> {
    const reply = await this.call<T>(method, path, body, { token });
    if (reply.status !== status) throw new Error(`${method} ${path} answered ${reply.status}: ${reply.text}`);
    return reply.body;
  }
}

/** A draft of tomorrow in Berlin, with whatever is to be different. */
export const anEvent = (other: Record<string, unknown> = {}) => ({
  title: 'A concert',
  startsAt: '2027-05-01T18:00:00.000Z',
  endsAt: '2027-05-01T21:00:00.000Z',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  ...other,
});

/** A map with so many seats in rows of fifty: the first fifth is zone `front`, the rest `rear`; zone `empty` has none. */
export function aSeatMap(seats: number) {
  const rows = Array.from({ length: Math.ceil(seats / 50) }, (_, r) => ({
    id: `${r + 1}`,
    seats: Array.from({ length: Math.min(50, seats - r * 50) }, (_unused, i) => {
      const n = r * 50 + i;
      return { id: `R${r + 1}-${i + 1}`, number: String(i + 1), x: i, y: r, zone: n < seats / 5 ? 'front' : 'rear' };
    }),
  }));
  const zones = [
    { id: 'front', name: 'Front' },
    { id: 'rear', name: 'Rear' },
    { id: 'empty', name: 'Empty' },
  ];
  return { zones, sections: [{ id: 'hall', name: 'The hall', rows }] };
}
