// A CPU profile in words: which part of the program the time of a process went to.
import type { Profiler } from 'node:inspector';

export interface ProfileSummary {
  /** Of the time profiled, 0 to 1; the rest was idle. */
  busy: number;
  /** Shares of the busy time by whose code ran, the largest first. Each moment belongs to the innermost frame that has a file. */
  parts: { part: string; share: number }[];
  /** Shares of the busy time that were spent in or below the named parts of Evently. */
  within: Record<string, number>;
}

/** Parts whose whole cost (with all they call) is told. A hook calls on whoever is next in line, who is none of its cost. */
const WATCHED: Record<string, RegExp> = {
  limiter: /libs\/platform\/limit\//,
  pricing: /libs\/pricing\//,
  'token check': /libs\/auth\/(auth\.guard|principal|access-token|api-key)/,
  validation: /libs\/platform\/http\/validation|class-validator|class-transformer/,
  batching: /libs\/booking\/(inventory\.(service|repository)|lane)/,
  leases: /libs\/platform\/lock\//,
  'metrics and log line': /libs\/platform\/observe\//,
};

/** Fastify, going on with the request. */
const NEXT = /fastify\/lib\/(hooks|route|handle-request|content-type-parser)/;

export function summarize(profile: Profiler.Profile): ProfileSummary {
  const nodes = new Map(profile.nodes.map((n) => [n.id, n]));
  const parent = new Map(profile.nodes.flatMap((n) => (n.children ?? []).map((c) => [c, n.id] as const)));
  const parts = new Map<string, number>();
  const within: Record<string, number> = Object.fromEntries(Object.keys(WATCHED).map((name) => [name, 0]));
  let all = 0;
  let idle = 0;
  profile.samples?.forEach((id, i) => {
    const us = profile.timeDeltas![i];
    const stack: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parent.get(at)) stack.push(nodes.get(at)!.callFrame.url);
    if (stack.includes('node:inspector')) return; // The profiler's own.
    all += us;
    if (nodes.get(id)!.callFrame.functionName === '(idle)') return void (idle += us);
    const part = partOf(stack.find((url) => url !== '') ?? '', nodes.get(id)!.callFrame.functionName);
    parts.set(part, (parts.get(part) ?? 0) + us);
    const next = stack.findIndex((url) => NEXT.test(url));
    const own = next === -1 ? stack : stack.slice(0, next);
    for (const [name, pattern] of Object.entries(WATCHED)) if (own.some((url) => pattern.test(url))) within[name] += us;
  });
  const busy = all - idle;
  for (const name of Object.keys(within)) within[name] /= busy;
  const list = [...parts].map(([part, us]) => ({ part, share: us / busy })).sort((a, b) => b.share - a.share);
  return { busy: busy / all, parts: list, within };
}

function partOf(url: string, name: string): string {
  if (url === '') return name.startsWith('(') ? name : 'native';
  const library = /.*node_modules\/((@[^/]+\/)?[^/]+)/.exec(url);
  if (library) return library[1];
  return url.startsWith('node:')
    ? `node:${url.slice(5).split('/')[0]}`
    : (/(libs|apps|scripts)\/[^/]+(\/[^/]+(?=\/))?/.exec(url)?.[0] ?? url);
}
