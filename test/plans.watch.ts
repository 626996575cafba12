// Plans: what Postgres did for every statement that a house ran, those inside functions too, as auto_explain tells each connection.
import pg from 'pg';

/** As EXPLAIN (ANALYZE, VERBOSE, BUFFERS, FORMAT JSON) writes it; only what is judged here. */
export interface PlanNode {
  'Node Type': string;
  Schema?: string;
  'Relation Name'?: string;
  Filter?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: PlanNode[];
}

export interface Statement {
  sql: string;
  /** Run by a function, not sent by us. */
  inner: boolean;
  plan: PlanNode;
}

type Spied = Omit<pg.Client, 'query'> & {
  connectionParameters: { application_name?: string; options?: string };
  query: (...args: unknown[]) => unknown;
};

const SETTINGS = [
  'session_preload_libraries=auto_explain', 'auto_explain.log_min_duration=0', 'auto_explain.log_nested_statements=on', 'auto_explain.log_analyze=on',
  'auto_explain.log_timing=off', 'auto_explain.log_buffers=on', 'auto_explain.log_verbose=on', 'auto_explain.log_format=json', 'auto_explain.log_level=notice',
]; // prettier-ignore

/** Hears of the plans of every connection that the house's pools open from now on; the spec's own connections are left alone. */
export class PlanWatch {
  private readonly heard = new Map<string, Statement>();
  private readonly sent = new Set<string>();
  private readonly connect = pg.Client.prototype.connect;

  constructor() {
    const { connect, spy } = this;
    const spyOn = spy.bind(this);
    pg.Client.prototype.connect = function (this: pg.Client, ...args: unknown[]) {
      const client = this as unknown as Spied;
      if (client.connectionParameters.application_name === 'evently') spyOn(client);
      return Reflect.apply(connect, this, args) as unknown;
    } as typeof connect;
  }

  private spy(client: Spied): void {
    const { connectionParameters: parameters } = client;
    parameters.options = [parameters.options, ...SETTINGS.map((s) => `-c ${s}`)].join(' ');
    const query = client.query.bind(client);
    client.query = (...args: unknown[]) => {
      this.sent.add(typeof args[0] === 'string' ? args[0] : (args[0] as { text: string }).text);
      return query(...args);
    };
    client.on('notice', ({ message = '' }) => this.hear(message));
  }

  /** One plan of each shape is kept of a statement, however often it ran: the one that read the most. */
  private hear(message: string): void {
    const json = /^duration: .*plan:\n([^]*)$/.exec(message)?.[1];
    if (!json) return;
    const { 'Query Text': sql, Plan: plan } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
    const key = `${sql}\n${shape(plan)}`;
    const known = this.heard.get(key);
    if (!known || cost(plan) > cost(known.plan)) this.heard.set(key, { sql, inner: !this.sent.has(sql), plan });
  }

  /** What was run since this was asked the last time. */
  take(): Statement[] {
    const statements = [...this.heard.values()];
    this.heard.clear();
    return statements;
  }

  stop(): void {
    pg.Client.prototype.connect = this.connect;
  }
}

const shape = (node: PlanNode): string =>
  `${node['Node Type']} ${node['Relation Name'] ?? ''}(${(node.Plans ?? []).map(shape).join()})`;

const blocks = (node: PlanNode) => (node['Shared Hit Blocks'] ?? 0) + (node['Shared Read Blocks'] ?? 0);
const removed = (node: PlanNode) => (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
const loops = (node: PlanNode) => node['Actual Loops'] ?? 0;

/** How much a plan touched: rows thrown away, and blocks. */
const cost = (node: PlanNode): number =>
  blocks(node) + removed(node) * loops(node) + (node.Plans ?? []).reduce((sum, child) => sum + cost(child), 0);

/** Rows thrown away for each one found, and blocks read for each one found, before an index counts as the wrong one. */
const WASTE = 10;
/** Rows and blocks that any look-up may waste without a word. */
const FREE_ROWS = 250;
const FREE_BLOCKS = 50;
/** In a queue's index the entries of jobs just done lead to a block each, until nobody can want them any more: a hundred, while others still read. */
const FREE_BLOCKS_OF: Record<string, number> = { 'platform.job': 250 };

/** A plan's nodes. */
export const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** What is wrong with reading tables that grow as this plan does: a sentence each. */
export const problems = (plan: PlanNode, grows: (table: string) => boolean): string[] =>
  nodesOf(plan).flatMap((node) => problemOf(node, grows) ?? []);

function problemOf(node: PlanNode, grows: (table: string) => boolean): string | undefined {
  if (!node['Relation Name'] || !node['Node Type'].endsWith('Scan')) return;
  const table = `${node.Schema}.${node['Relation Name']}`;
  if (!grows(table)) return;
  const useful = ((node['Actual Rows'] ?? 0) + 1) * loops(node);
  const wasted = removed(node) * loops(node);
  if (node['Node Type'] === 'Seq Scan') return `reads all of ${table}`;
  if (wasted > FREE_ROWS + WASTE * useful) return `throws ${wasted} rows of ${table} away to find ${useful}`;
  // What was thrown away had a block each at most, and is judged above.
  if (blocks(node) > (FREE_BLOCKS_OF[table] ?? FREE_BLOCKS) + WASTE * useful + wasted)
    return `reads ${blocks(node)} blocks of ${table} to find ${useful} rows`;
}
