// Every route names the ability it needs: one without is listed here, and refused by the guard anyway.
import { Controller, Get, Module, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { ABILITY, type RouteAbility } from '../libs/platform/http/route.decorators.js';
import { Harness } from './harness.js';

interface Route {
  name: string;
  method: string;
  path: string;
  ability: RouteAbility | undefined;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'ALL', 'OPTIONS', 'HEAD'];

/** Every route of every controller, as Nest found them. */
function routesOf(evently: Harness): Route[] {
  const scanner = new MetadataScanner();
  return evently.api
    .get(DiscoveryService)
    .getControllers()
    .flatMap(({ metatype }) => {
      const controller = metatype as Type;
      const proto = controller.prototype as Record<string, object>;
      return scanner.getAllMethodNames(proto).flatMap((name) => {
        const path = Reflect.getMetadata('path', proto[name]) as string | undefined;
        if (path === undefined) return [];
        const base = [Reflect.getMetadata('path', controller) as string | string[]].flat()[0];
        return {
          name: `${controller.name}.${name}`,
          method: METHODS[Reflect.getMetadata('method', proto[name]) as number],
          path: `/${base}/${[path].flat()[0]}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1'),
          ability: Reflect.getMetadata(ABILITY, proto[name]) as RouteAbility | undefined,
        };
      });
    });
}

const nameless = (routes: Route[]) => routes.filter((r) => !r.ability).map((r) => r.name);

@Controller('v1/forgotten')
class ForgetfulController {
  @Get() read() {
    return { secret: true };
  }
}

@Module({ imports: [ApiModule], controllers: [ForgetfulController] })
class ForgetfulApi {}

describe('the routes of the api', () => {
  let evently: Harness;
  let routes: Route[];
  beforeAll(async () => {
    evently = await Harness.start(ApiModule);
    routes = routesOf(evently);
  });
  afterAll(() => evently.stop());

  it('all name their ability', () => {
    expect(routes.length).toBeGreaterThan(30);
    expect(nameless(routes)).toEqual([]);
  });

  it('turn away who has no token, where their ability is not for everyone', async () => {
    const closed = routes.filter((r) => r.ability && !r.ability.open);
    expect(closed.length).toBeGreaterThan(20);
    for (const { method, path } of closed) {
      const url = path.replace(/:[A-Za-z]+/g, '01890000-0000-7000-8000-000000000000');
      const reply = await evently.call<{ code: string }>(method, url, method === 'GET' || method === 'DELETE' ? undefined : {});
      expect([method, path, reply.status, reply.body.code]).toEqual([method, path, 401, 'unauthenticated']);
    }
  });

  it('refuse a broken token, where their ability is for everyone too', async () => {
    const open = routes.filter((r) => r.ability?.open);
    for (const { method, path } of open) {
      const url = path.replace(/:[A-Za-z]+/g, '01890000-0000-7000-8000-000000000000');
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      const reply = await evently.call(method, url, body, { token: 'eyJhbGciOiJub25lIn0.e30.' });
      expect([method, path, reply.status]).toEqual([method, path, 401]);
    }
  });
});

describe('a route that names none', () => {
  let evently: Harness;
  beforeAll(async () => (evently = await Harness.start(ForgetfulApi)));
  afterAll(() => evently.stop());

  it('is found by the list above, and gives nothing away', async () => {
    expect(nameless(routesOf(evently))).toEqual(['ForgetfulController.read']);
    const reply = await evently.call('GET', '/v1/forgotten');
    expect(reply.status).toBe(503);
    expect(reply.text).not.toContain('secret');
  });
});
