// Measure: every exchange's time and outcome, and what can be read from them: rates, percentiles, refusals by code.
import { now, type Exchange, type Operation as Asked } from './client.js';

/** What is measured on its own: what was asked for, and all of the judge's asking together. */
export type Operation = Asked | 'judging';

interface Column {
  ended: number[];
  ms: number[];
  code: string[];
}

export interface Second {
  /** Seconds after the opening. */
  at: number;
  count: number;
  p50: number;
  p99: number;
}

export class Measure {
  private readonly columns = new Map<Operation, Column>();
  openedAt = now();
  /** Set when the sale is over: what the judge asks is no part of the sale's rates and refusals. */
  judging = false;

  readonly record = (exchange: Exchange): void => {
    const op = this.judging ? 'judging' : exchange.op;
    let column = this.columns.get(op);
    if (!column) this.columns.set(op, (column = { ended: [], ms: [], code: [] }));
    column.ended.push(exchange.endedAt);
    column.ms.push(exchange.endedAt - exchange.sentAt);
    column.code.push(exchange.code);
  };

  operations(): Operation[] {
    return [...this.columns.keys()];
  }

  count(op: Operation): number {
    return this.columns.get(op)?.ms.length ?? 0;
  }

  /** Latencies in milliseconds, ascending. */
  sorted(op: Operation): number[] {
    return [...(this.columns.get(op)?.ms ?? [])].sort((a, b) => a - b);
  }

  /** How often each outcome came for an operation, most frequent first. */
  outcomes(op: Operation): [string, number][] {
    const counts = new Map<string, number>();
    for (const code of this.columns.get(op)?.code ?? []) counts.set(code, (counts.get(code) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]);
  }

  /** Count and percentiles of an operation, second by second from the opening on. */
  bySecond(op: Operation, only: (code: string) => boolean = () => true): Second[] {
    const column = this.columns.get(op);
    const buckets = new Map<number, number[]>();
    column?.ended.forEach((ended, index) => {
      const second = Math.floor((ended - this.openedAt) / 1000);
      if (second < 0 || !only(column.code[index]!)) return;
      const bucket = buckets.get(second);
      if (bucket) bucket.push(column.ms[index]!);
      else buckets.set(second, [column.ms[index]!]);
    });
    return [...buckets]
      .sort(([a], [b]) => a - b)
      .map(([at, ms]) => {
        ms.sort((a, b) => a - b);
        return { at, count: ms.length, p50: percentile(ms, 50), p99: percentile(ms, 99) };
      });
  }

  /** The last `windowMs` of one operation: rate a second and percentiles. */
  recent(op: Operation, windowMs: number): { rate: number; p50: number; p99: number } {
    const column = this.columns.get(op);
    const from = now() - windowMs;
    const ms: number[] = [];
    for (let index = (column?.ended.length ?? 0) - 1; index >= 0 && column!.ended[index]! >= from; index--)
      ms.push(column!.ms[index]!);
    ms.sort((a, b) => a - b);
    return { rate: (ms.length * 1000) / windowMs, p50: percentile(ms, 50), p99: percentile(ms, 99) };
  }
}

/** Exact nearest-rank percentile of an ascending list; 0 of an empty one. */
export function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}
