// A TCP proxy for specs: stands before a server and goes away, stands still, comes back, or cuts a connection at a chosen moment.
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Proxy {
  private server?: Server;
  private readonly open = new Set<Socket>();
  private port = 0;
  private still = false;
  /** Called with what the server replies, before the client gets it, and what was asked; `cut` ends both sides instead,
   * bytes go in its place. */
  onReply?: (reply: Buffer, asked: string) => 'cut' | 'pass' | Buffer;

  private constructor(private readonly target: { host: string; port: number }) {}

  /** Stands before the server of a URL, listening. */
  static async before(url: string): Promise<Proxy> {
    const { hostname, port } = new URL(url);
    const proxy = new Proxy({ host: hostname, port: Number(port) });
    await proxy.up();
    return proxy;
  }

  /** The same URL, through this proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.host = `127.0.0.1:${this.port}`;
    return changed.href;
  }

  /** Listens; on the port it had before. */
  async up(): Promise<void> {
    const server = createServer((client) => this.join(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', () => resolve());
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Ends every connection and takes none. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.open) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Takes connections and bytes, and passes none on, as a stopped server does; until it is told otherwise. */
  standStill(still: boolean): void {
    this.still = still;
    for (const socket of this.open) if (still) socket.pause(); else socket.resume(); // prettier-ignore
  }

  /** Passes nothing on any more of the connections there are, as when another server has taken the place of one that is cut off. */
  forsake(): void {
    for (const socket of this.open) socket.pause();
  }

  private join(client: Socket): void {
    const server = createConnection(this.target);
    let asked = '';
    let answered = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        this.open.delete(socket);
        end();
      });
    }
    client.on('data', (bytes) => {
      asked = (answered ? '' : asked) + bytes.toString('latin1');
      answered = false;
      server.write(bytes);
    });
    if (this.still) client.pause();
    server.on('data', (bytes) => {
      answered = true;
      const fate = this.onReply?.(bytes, asked) ?? 'pass';
      if (fate === 'cut') end();
      else client.write(fate === 'pass' ? bytes : fate);
    });
  }
}
