// Settings, as TypeScript sees them: what a rehearsal may use of them.

/** The address to call where `host` is listened on; that of this machine where it is not said. */
export function hostToCall(host: string | undefined): string;
