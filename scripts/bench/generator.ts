// The generator: sends load over raw sockets, since an HTTP client would need more of the machine than the server it measures.
import { connect, type Socket } from 'node:net';
import type { Load, LoadResult } from './load.js';
import { ascending, quantile } from './quantile.js';

/** Numbers of this process, distinct from those of any other run. */
let serial = (process.pid % 1000) * 1_000_000_000 + (Date.now() % 100) * 10_000_000;

type Fill = (target: { a: string; b: string }) => string;

/** Text with places to fill, cut once. */
function template(text: string): Fill {
  const parts = text.split(/\{([nab])\}/);
  return (target) => {
    let out = parts[0];
    for (let i = 1; i < parts.length; i += 2) {
      out += parts[i] === 'n' ? String(serial).padStart(12, '0') : parts[i] === 'a' ? target.a : target.b;
      out += parts[i + 1];
    }
    return out;
  };
}

const NOBODY = { a: '', b: '' };

function requestOf(load: Load): Fill {
  const { method, path, headers = {}, body, targets } = load;
  const sample = template(body ?? '')(targets?.[0] ?? NOBODY);
  const length = body === undefined ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(sample)}\r\n`;
  const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`);
  return template(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join('')}${length}\r\n${body ?? ''}`);
}

/** One connection: sends, reads a whole reply, tells. Made anew when the server closes it. */
class Line {
  private socket?: Socket;
  private seen = '';
  private told?: (status: number, body: string) => void;
  private text = '';
  /** Replies read from this socket: one that served may be closed by the server just as it is used again, and then a client sends again. */
  private replies = 0;

  constructor(private readonly port: number) {}

  /** Sends a request; `told` hears status and body, or status 0 when the connection broke. */
  send(text: string, told: (status: number, body: string) => void): void {
    this.told = told;
    this.seen = '';
    this.text = text;
    (this.socket ??= this.open()).write(text, 'latin1');
  }

  close(): void {
    this.told = undefined;
    this.socket?.destroy();
  }

  private open(): Socket {
    const socket = connect(this.port, '127.0.0.1').setNoDelay().setEncoding('latin1');
    socket.on('data', (text) => this.read(String(text)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      const again = this.told && this.seen === '' && this.replies > 0;
      this.replies = 0;
      if (again) this.send(this.text, this.told!);
      else this.done(0, '');
    });
    return socket;
  }

  private read(text: string): void {
    this.seen = this.seen === '' ? text : this.seen + text;
    const end = this.seen.indexOf('\r\n\r\n');
    if (end === -1) return;
    const status = Number(this.seen.slice(9, 12));
    const length = status === 304 ? 0 : Number(/content-length: (\d+)/i.exec(this.seen.slice(0, end))?.[1] ?? 0);
    if (this.seen.length < end + 4 + length) return;
    this.replies += 1;
    this.done(status, this.seen.slice(end + 4));
  }

  private done(status: number, body: string): void {
    const { told } = this;
    this.told = undefined;
    told?.(status, body);
  }
}

const isGood = (status: number) => (status >= 200 && status < 300) || status === 304;

class Run {
  private readonly byStatus: Record<string, number> = {};
  private readonly times: number[] = [];
  private readonly request: Fill;
  private readonly began = performance.now();
  private readonly end: number;
  private readonly idle: Line[] = [];
  private readonly due: number[] = [];
  private turn = 0;
  private running = 0;

  constructor(
    private readonly load: Load,
    private readonly finished: (r: Omit<LoadResult, 'cpu'>) => void,
  ) {
    this.request = requestOf(load);
    this.end = this.began + load.seconds * 1000;
  }

  start(): void {
    const { load } = this;
    const lines = Array.from({ length: load.connections }, (_, n) => new Line(load.ports[n % load.ports.length]));
    if (load.arrivals === undefined) lines.forEach((line) => this.once(line, performance.now()));
    else {
      this.idle.push(...lines);
      this.arrive(load.arrivals);
    }
  }

  private once(line: Line, from: number): void {
    this.running += 1;
    serial += 1;
    const { targets, followUp } = this.load;
    const target = targets ? targets[this.turn++ % targets.length] : NOBODY;
    line.send(this.request(target), (status, body) => {
      if (!followUp || status !== 201) return this.answered(line, from, status);
      const { id, accessToken } = JSON.parse(body) as { id: string; accessToken: string };
      const head = `${followUp.method} ${followUp.path.replace('{id}', id)} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${accessToken}\r\n`;
      line.send(
        `${head}content-type: application/json\r\ncontent-length: ${followUp.body.length}\r\n\r\n${followUp.body}`,
        (second) => this.answered(line, from, second),
      );
    });
  }

  private answered(line: Line, from: number, status: number): void {
    const now = performance.now();
    this.running -= 1;
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
    if (isGood(status)) this.times.push(now - from);
    if (now >= this.end) {
      line.close();
      if (this.running === 0) this.finish(now);
    } else if (this.load.arrivals === undefined) this.once(line, now);
    else if (this.due.length > 0) this.once(line, this.due.shift()!);
    else this.idle.push(line);
  }

  /** Arrivals at even distances by the clock; those that find no connection free wait, and their waiting counts. */
  private arrive(perSecond: number): void {
    let arrived = 0;
    const tick = setInterval(() => {
      const now = performance.now();
      if (now >= this.end) {
        clearInterval(tick);
        this.idle.forEach((line) => line.close());
        if (this.running === 0) this.finish(now);
        return;
      }
      const expected = ((now - this.began) / 1000) * perSecond;
      for (; arrived < expected; arrived++) {
        const from = this.began + (arrived / perSecond) * 1000;
        const line = this.idle.pop();
        if (line) this.once(line, from);
        else this.due.push(from);
      }
    }, 1);
  }

  private finish(now: number): void {
    const seconds = (now - this.began) / 1000;
    const times = ascending(this.times);
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    this.finished({ byStatus: this.byStatus, rate: times.length / seconds, p50, p99, seconds });
  }
}

process.on('message', (load: Load) => {
  const before = process.cpuUsage();
  const run = new Run(load, (result) => {
    const { user, system } = process.cpuUsage(before);
    process.send!({ ...result, cpu: (user + system) / 1e6 / result.seconds } satisfies LoadResult);
  });
  run.start();
});
process.on('disconnect', () => process.exit());
