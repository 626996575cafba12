// Processes: those below a given one on this machine, a running `npm start` above all, told apart by their command lines, and how to kill one for good.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { Role } from './options.js';

export interface Process {
  pid: number;
  parent: number;
  /** The command line, arguments separated by blanks. */
  command: string;
}

/** CONTRACT 1 fixes api and worker; Postgres and Redis go by their programs' names. */
const marks: Record<Role, RegExp> = {
  api: /(^|[\s/])apps\/api\//,
  worker: /(^|[\s/])apps\/worker\//,
  postgres: /^(\S*\/)?(postgres|postmaster)(:|\s|$)/,
  redis: /^(\S*\/)?(redis|valkey)-server(\s|$)/,
};

/** The topmost processes of a role below `supervisor`, which is itself none. */
export function processesOf(role: Role, supervisor: number): Process[] {
  const below = descendants(supervisor, allProcesses());
  const matching = below.filter(({ command }) => marks[role].test(command));
  const pids = new Set(matching.map(({ pid }) => pid));
  return matching.filter(({ parent }) => !pids.has(parent));
}

/** SIGKILL to a process and everything below it, parent first, so that nothing is restarted from inside. Returns the pids. */
export function killTree(pid: number): number[] {
  const pids = [pid, ...descendants(pid, allProcesses()).map((process) => process.pid)];
  for (const each of pids) {
    try {
      process.kill(each, 'SIGKILL');
    } catch (error) {
      // One that ended by itself in between is as dead as wanted.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return pids;
}

/** The pids of a process's own children, not of theirs. */
export function childrenOf(pid: number): number[] {
  return allProcesses().flatMap((process) => (process.parent === pid ? [process.pid] : []));
}

/** The command line of a living process; undefined where there is none. */
export function commandOf(pid: number): string | undefined {
  return allProcesses().find((process) => process.pid === pid)?.command;
}

function descendants(pid: number, all: readonly Process[]): Process[] {
  const children = all.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendants(child.pid, all)]);
}

function allProcesses(): Process[] {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs();
}

function fromProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The second field, the program's name, may hold blanks and brackets: what follows its last bracket counts.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z') return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return []; // It ended while we looked.
      }
    });
}

function fromPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const fields = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return fields ? [{ pid: Number(fields[1]), parent: Number(fields[2]), command: fields[3]! }] : [];
  });
}
