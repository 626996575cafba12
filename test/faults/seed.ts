// The seed of a fault run: drawn and printed, or given as FAULT_SEED to play a failure again. All that is left to chance draws its dice here.
import { randomInt } from 'node:crypto';
import { Dice } from '../../scripts/rehearse/dice.js';

const seed = Number(process.env.FAULT_SEED ?? randomInt(1_000_000_000));
console.log(`FAULT_SEED=${seed}`);

/** The same numbers for the same seed and label, whatever else is drawn and when. */
export const dice = (label: string) => new Dice(seed, label);
