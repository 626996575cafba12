// Throttles as numbers: how many tries at a secret there are, and what they are counted against. Pure.

/** `tries` at once, then one more each `everySeconds`: a leaky bucket, kept as the one instant at which it will be empty (GCRA). */
export interface Allowance {
  name: string;
  tries: number;
  everySeconds: number;
}

/** What a try is counted against. The text is kept only as an HMAC. */
export interface Counted {
  allowance: Allowance;
  of: string;
}

export const allowances = {
  /** Wrong passwords at one account from one network: what a forgetful person needs, and no more. */
  account: { name: 'account', tries: 10, everySeconds: 60 },
  /** The same from everywhere: stops a guess spread over many networks, without letting one attacker lock a person out for long. */
  accountAnywhere: { name: 'account-anywhere', tries: 50, everySeconds: 30 },
  /** Wrong passwords from one network at any accounts: stops one password tried at everybody. */
  network: { name: 'network', tries: 100, everySeconds: 5 },
  /** Mails asked for at one address. */
  mail: { name: 'mail', tries: 5, everySeconds: 600 },
  /** Mails asked for from one network. */
  mailNetwork: { name: 'mail-network', tries: 50, everySeconds: 10 },
} satisfies Record<string, Allowance>;
