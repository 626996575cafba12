// Killer: SIGKILLs parts of a running Evently at moments that the seed decides, and notes when each was back.
import { now, sleep } from './client.js';
import type { Dice } from './dice.js';
import type { Span } from './life.js';
import { UsageError, type Role } from './options.js';
import { killTree, processesOf } from './processes.js';
import type { Server } from './server.js';

export interface PlannedKill {
  role: Role;
  /** Seconds after the opening. */
  at: number;
}

export interface Kill {
  role: Role;
  at: number;
  pid: number;
  /** When a new process of the role ran and the server said it was ready; undefined while it is not back. */
  backAt?: number;
}

/** Long, because a machine that is busy with the crowd takes its time to load a program. */
const backWithinMs = 120_000;

/** One kill a role, in drawn order, each at a random moment of its own part of the run; the first falls into the opening rush. */
export function planKills(roles: readonly Role[], durationSeconds: number, dice: Dice): PlannedKill[] {
  // The last fifth stays quiet, so that what was killed last comes back while buyers are still there.
  const slot = (durationSeconds * 0.8) / Math.max(1, roles.length);
  return dice.shuffled(roles).map((role, n) => ({
    role,
    at: n === 0 ? dice.between(0.05, Math.min(1.5, slot)) : dice.between(n * slot, (n + 0.9) * slot),
  }));
}

export class Killer {
  readonly kills: Kill[] = [];
  private stopped = false;

  /** Throws UsageError where a role cannot be found below the supervisor. */
  constructor(
    private readonly server: Server,
    readonly plan: readonly PlannedKill[],
  ) {
    for (const { role } of plan) this.find(role);
  }

  /** Carries the plan out; ends when everything is back, or has been missing for two minutes. */
  async run(openedAt: number, said: (kill: Kill) => void): Promise<void> {
    for (const { role, at } of this.plan) {
      await sleep(openedAt + at * 1000 - now());
      if (this.stopped) return;
      const victim = this.find(role);
      const kill: Kill = { role, at: now(), pid: victim };
      const dead = new Set(killTree(victim));
      this.kills.push(kill);
      said(kill);
      await this.awaitBack(kill, dead);
      if (kill.backAt) said(kill);
    }
  }

  stop(): void {
    this.stopped = true;
  }

  /** From each kill until it was back. */
  outages(): Span[] {
    return this.kills.map(({ at, backAt }) => ({ from: at, to: backAt ?? now() }));
  }

  private find(role: Role): number {
    const [found] = processesOf(role, this.server.supervisor!);
    if (found) return found.pid;
    const given = role === 'postgres' ? 'DATABASE_URL' : role === 'redis' ? 'REDIS_URL' : undefined;
    throw new UsageError(
      `--kill ${role}: no ${role} runs below this Evently (process ${this.server.supervisor}).` +
        (given ? ` Is it an outside one, given by ${given}? Leave ${role} out, or start without ${given}.` : ''),
    );
  }

  private async awaitBack(kill: Kill, dead: ReadonlySet<number>): Promise<void> {
    const giveUpAt = now() + backWithinMs;
    while (now() < giveUpAt && !this.stopped) {
      await sleep(100);
      const again = processesOf(kill.role, this.server.supervisor!).some(({ pid }) => !dead.has(pid));
      if (again && (await this.server.isReady(kill.role))) {
        kill.backAt = now();
        return;
      }
    }
  }
}

export function killLine(kill: Kill, openedAt: number): string {
  const at = (time: number) => `${((time - openedAt) / 1000).toFixed(2)} s`;
  return kill.backAt === undefined
    ? `Killed ${kill.role} (process ${kill.pid}) at ${at(kill.at)}`
    : `${kill.role} is back at ${at(kill.backAt)}, after ${((kill.backAt - kill.at) / 1000).toFixed(1)} s`;
}
