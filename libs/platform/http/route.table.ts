// The route table: which methods an address takes, for 405 with Allow, for metrics' route names and for the tests that list routes.
import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

interface Route {
  url: string;
  pattern: RegExp;
  methods: Set<string>;
}

@Injectable()
export class RouteTable {
  private readonly routes = new Map<string, Route>();

  /** Watches routes as they are added; call before any is. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (options) => {
      const { url, method } = options;
      const limit = (options.config as { bodyLimit?: number } | undefined)?.bodyLimit; // From @LargeBody.
      if (limit !== undefined) options.bodyLimit = limit;
      const route = this.routes.get(url) ?? { url, pattern: patternOf(url), methods: new Set<string>() };
      for (const m of Array.isArray(method) ? method : [method]) route.methods.add(m);
      this.routes.set(url, route);
    });
  }

  /** Methods of the address a URL names, sorted; empty when there is none. */
  methodsFor(url: string): string[] {
    const path = url.split('?', 1)[0];
    const methods = new Set<string>();
    for (const route of this.routes.values()) if (route.pattern.test(path)) for (const m of route.methods) methods.add(m);
    return [...methods].sort();
  }

  all(): { url: string; methods: string[] }[] {
    return [...this.routes.values()].map((r) => ({ url: r.url, methods: [...r.methods].sort() }));
  }
}

const patternOf = (url: string) =>
  new RegExp(
    `^${url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')}$`,
  );
