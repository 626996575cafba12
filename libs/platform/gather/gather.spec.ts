// What asks together is answered together; what is poisoned fails alone.
import { describe, expect, it } from 'vitest';
import { gather } from './gather.js';

describe('gather', () => {
  const asked: string[] = [];
  const shout = async (words: readonly string[]) => {
    asked.push(words.join(' '));
    if (words.includes('poison')) throw new Error('bad word');
    return words.map((w) => w.toUpperCase());
  };
  const saidOf = async (ask: (word: string) => Promise<string>, ...words: string[]) => {
    asked.length = 0;
    const said = await Promise.allSettled(words.map(ask));
    return said.map((s) => (s.status === 'fulfilled' ? s.value : (s.reason as Error).message));
  };

  it('asks once for a turn, and no more than so many at once', async () => {
    expect(await saidOf(gather(2, shout), 'a', 'b', 'c')).toEqual(['A', 'B', 'C']);
    expect(asked).toEqual(['a b', 'c']);
  });

  it('waits for who else comes in the turn, or only for who comes at once', async () => {
    const inTwoSteps = (ask: (word: string) => Promise<string>) => {
      asked.length = 0;
      const step = (...words: string[]) => new Promise((resolve) => setImmediate(() => resolve(Promise.all(words.map(ask)))));
      return Promise.all([step('a', 'b'), step('c')]);
    };
    await inTwoSteps(gather(9, shout));
    expect(asked).toEqual(['a b c']);
    await inTwoSteps(gather(9, shout, { soon: true }));
    expect(asked).toEqual(['a b', 'c']);
  });

  it('fails for all together, or for the poisoned one alone', async () => {
    expect(await saidOf(gather(9, shout), 'a', 'poison', 'b')).toEqual(['bad word', 'bad word', 'bad word']);
    expect(await saidOf(gather(9, shout, { apart: true }), 'a', 'poison', 'b')).toEqual(['A', 'bad word', 'B']);
    expect(asked).toEqual(['a poison b', 'a', 'poison', 'b']);
    expect(await saidOf(gather(9, shout, { apart: true }), 'poison')).toEqual(['bad word']);
    expect(asked).toEqual(['poison']);
  });
});
