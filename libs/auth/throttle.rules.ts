// Throttles as numbers: how many tries at a secret there are, and what they are counted against. Pure.
import ipaddr from 'ipaddr.js';

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

/** A network as it is rented by one party: an IPv4 address, or the /64 of an IPv6 one. */
export function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv4' ? address.toString() : address.toNormalizedString().split(':').slice(0, 4).join(':');
}

/** True when an address lies in one of the CIDRs (or is one of the addresses). */
export function isAllowed(ip: string, list: readonly string[]): boolean {
  if (!ipaddr.isValid(ip)) return false;
  const address = ipaddr.process(ip);
  return list.some((entry) => {
    const text = entry.includes('/') ? entry : `${entry}/${entry.includes(':') ? 128 : 32}`;
    if (!ipaddr.isValidCIDR(text)) return false;
    const range = ipaddr.parseCIDR(text);
    return range[0].kind() === address.kind() && address.match(range);
  });
}

export const LOOPBACK = ['127.0.0.0/8', '::1/128'];
