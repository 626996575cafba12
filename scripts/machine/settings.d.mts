// Settings, as TypeScript sees them: what a rehearsal and tests may use of them.

/** The URL to call where `host` is listened on; that of this machine where it is not said. */
export function urlToCall(host: string | undefined, port: string | number): string;

/** The ports and addresses of one start; throws on what is no port. */
export function readSettings(env: Record<string, string | undefined>): {
  host: string;
  ports: number[];
  workerPort: number;
  publicUrl: string;
};
