// Settings: what the command line said, handed on by scripts/k6.mjs (or `k6 run -e NAME=...`), with bounds and a sentence for what is none.

const given = (name) => __ENV[name] || undefined;

/** Where Evently is, without a slash at the end. */
export const url = (given('EVENTLY_URL') ?? 'http://127.0.0.1:3000').replace(/\/+$/, '');

/** An account to use instead of a new one, and an organization of it instead of a new one. */
export const account = given('EVENTLY_EMAIL') && {
  email: given('EVENTLY_EMAIL'),
  password: given('EVENTLY_PASSWORD'),
  orgId: given('EVENTLY_ORG'),
};

/** Codes that count as refusals although a run without faults never has them: `unavailable`, when Postgres is stopped on purpose. */
export const allowedCodes = (given('EVENTLY_ALLOW') ?? '').split(',').filter(Boolean);

/** A whole number from the environment. */
export function whole(name, fallback, { low = 1, high = 1_000_000 } = {}) {
  const text = given(name) ?? String(fallback);
  const value = Number(text);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new Error(`${name} must be a whole number from ${low} to ${high}, not "${text}".`);
}

/** Seconds of a length of time such as 90, 90s, 15m or 1h30m. */
export function seconds(name, fallback) {
  const text = given(name) ?? String(fallback);
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text);
  const value = parts ? Number(parts[1] ?? 0) * 3600 + Number(parts[2] ?? 0) * 60 + Number(parts[3] ?? 0) : 0;
  if (value >= 1) return value;
  throw new Error(`${name} must be a length of time such as 90s, 15m or 1h30m, not "${text}".`);
}
