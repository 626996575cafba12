// Prefer: what a client says it waits is heard, among other preferences too; nonsense is passed over.
import { describe, expect, it } from 'vitest';
import { elapsedMs } from '../../kernel/time.js';
import { deadlineOf } from './prefer.js';

const waitOf = (prefer: string | string[]) => {
  const deadline = deadlineOf({ prefer: prefer as string });
  return deadline === undefined ? undefined : Math.round((deadline - elapsedMs()) / 1000) + 0;
};

describe('how long a client waits', () => {
  it.each([
    ['wait=5', 5],
    ['Wait = 10', 10],
    ['wait="7"', 7],
    ['respond-async, wait=100', 100],
    ['return=minimal; foo="some parameter",wait=3; x', 3],
    ['wait=0', 0],
    [['handling=lenient', 'wait=2'], 2],
  ])('is heard in %j', (prefer, seconds) => expect(waitOf(prefer)).toBe(seconds));

  it.each(['', 'wait', 'wait=', 'wait=soon', 'wait=-1', 'wait=1.5', 'await=5', 'wait=123456', 'return=minimal'])(
    'is not said by %j',
    (prefer) => expect(waitOf(prefer)).toBeUndefined(),
  );
});
