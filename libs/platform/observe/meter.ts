// The meter: what a process counts and measures, for Prometheus. Contexts declare their own counters here; counting costs a map look-up.
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry, type Metric } from 'prom-client';

/** One sample, as prom-client's registry prints it. */
export interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName?: string;
}

/** A metric that can say its samples; prom-client's registry needs no more than this. */
interface Readable {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  get(): Promise<Readable & { values: Sample[] }>;
  reset(): void;
}

/** Milliseconds a gauge may take to find its value; a slow one is left out of that scrape. */
const READ_LIMIT_MS = 2000;

/** A number that only rises, by one label: `holds.add('sold_out')`. */
export class Counter {
  private readonly counts = new Map<string, number>();

  constructor(readonly label: string | undefined) {
    if (!label) this.counts.set('', 0);
  }

  add(value = '', by = 1): void {
    this.counts.set(value, (this.counts.get(value) ?? 0) + by);
  }

  samples(): Sample[] {
    return [...this.counts].map(([value, n]) => ({ labels: this.label ? { [this.label]: value } : {}, value: n }));
  }
}

@Injectable()
export class Meter {
  readonly registry = new Registry();
  private readonly counters = new Map<string, Counter>();

  /** Adds Node's own figures: event loop lag, garbage collection, heap, file descriptors. Once a process that is scraped. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A counter by its name (`evently_holds_total`); asking again gives the same one. `label` names its one dimension: few values, never ids. */
  counter(name: string, help: string, label?: string): Counter {
    const known = this.counters.get(name);
    if (known) return known;
    const counter = new Counter(label);
    this.counters.set(name, counter);
    this.add(name, help, 'counter', () => counter.samples());
    return counter;
  }

  /** A gauge asked at each scrape. Where `read` fails or takes longer than two seconds, the scrape goes without it. */
  gauge(name: string, help: string, read: () => number | Sample[] | Promise<number | Sample[]>): void {
    this.add(name, help, 'gauge', async () => {
      const value = await read();
      return typeof value === 'number' ? [{ labels: {}, value }] : value;
    });
  }

  /** A histogram that keeps its own buckets: `samples` gives them as Prometheus wants them. */
  histogram(name: string, help: string, samples: () => Sample[]): void {
    this.add(name, help, 'histogram', samples);
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private add(name: string, help: string, type: Readable['type'], read: () => Sample[] | Promise<Sample[]>): void {
    const metric: Readable = {
      name,
      help,
      type,
      get: async () => ({ ...metric, values: await within(READ_LIMIT_MS, read) }),
      reset: () => undefined,
    };
    this.registry.registerMetric(metric as unknown as Metric);
  }
}

async function within(ms: number, read: () => Sample[] | Promise<Sample[]>): Promise<Sample[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Sample[]>((resolve) => (timer = setTimeout(resolve, ms, [])));
  try {
    return await Promise.race([Promise.resolve().then(read), late]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}
