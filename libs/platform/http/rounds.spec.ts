// Rounds: what arrives in one turn of the event loop is begun together, each in its own surroundings, and nobody is kept waiting for all of it.
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { ambient, carried, withAmbient } from '../db/ambient.js';
import { MOST, Rounds } from './rounds.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('begins in one go, in the order of arrival and each surrounded as it came, what arrived meanwhile', async () => {
  const rounds = new Rounds();
  const begun: (string | undefined)[] = [];
  for (const requestId of ['a', 'b', 'c'])
    withAmbient({ requestId }, () => rounds.join(carried(() => void begun.push(ambient().requestId))));
  rounds.join(carried(() => void begun.push(ambient().requestId)));
  expect(begun).toEqual([]);
  await turn();
  expect(begun).toEqual(['a', 'b', 'c', undefined]);
});

it('lets the event loop turn between two large rounds', async () => {
  const rounds = new Rounds();
  let begun = 0;
  for (let i = 0; i < 2 * MOST + 1; i++) rounds.join(() => void (begun += 1));
  const seen: number[] = [];
  for (let i = 0; i < 3; i++) {
    await turn();
    seen.push(begun);
  }
  expect(seen).toEqual([MOST, 2 * MOST, 2 * MOST + 1]);
});

it('puts who asks for another round into the next', async () => {
  const rounds = new Rounds();
  const begun: number[] = [];
  rounds.join(() => {
    begun.push(1);
    rounds.join(() => void begun.push(2));
  });
  await turn();
  expect(begun).toEqual([1]);
  await turn();
  expect(begun).toEqual([1, 2]);
});

it('lets those in first who connect, but not for ever', async () => {
  const rounds = new Rounds();
  const server = new EventEmitter();
  rounds.heed(server);
  const begun: number[] = [];
  const turns = async (n: number, connected: boolean) => {
    for (let i = 0; i < n; i++) {
      if (connected) server.emit('connection');
      await turn();
    }
  };
  rounds.join(() => void begun.push(1));
  await turns(MOST, true);
  expect(begun).toEqual([]);
  await turns(1, true);
  expect(begun).toEqual([1]);
  server.emit('connection');
  rounds.join(() => void begun.push(2));
  await turns(1, false);
  expect(begun).toEqual([1]);
  await turns(1, false);
  expect(begun).toEqual([1, 2]);
});
