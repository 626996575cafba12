// Load: what the generator is asked to do and what it answers. It runs in a process of its own and is told over IPC.

/**
 * Requests to send over keep-alive connections, each with one request at a time.
 * In path, headers and body `{n}` stands for a number of 12 digits that no other request has, `{a}` and `{b}` for a target's parts.
 */
export interface Load {
  /** Connections are spread over them evenly. */
  ports: number[];
  connections: number;
  seconds: number;
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** Taken in turn. All of one length, since the length of a body is computed once. */
  targets?: { a: string; b: string }[];
  /** Arrivals a second whether or not replies come (open loop). Absent: each connection sends when it has its reply. */
  arrivals?: number;
  /** Sent after a 201, with `{id}` and `{token}` of its reply. Only its reply ends the request. */
  followUp?: { method: 'POST'; path: string; body: string };
}

export interface LoadResult {
  /** Replies by status, those of `followUp` where there is one. */
  byStatus: Record<string, number>;
  /** Replies a second with 2xx or 304. */
  rate: number;
  /** Milliseconds from when a request was due until its reply was read, of all that were answered 2xx or 304. */
  p50: number;
  p99: number;
  /** Of one core, 0 to 1. */
  cpu: number;
  seconds: number;
}
