// Best available seats in a hall of 20 000: how long one choice takes, from the empty hall to the last seat.
import { SeatBoard } from '../../libs/booking/seat.rules.js';
import { SeatHall } from '../../libs/booking/seat-hall.rules.js';
import { flatSeats } from '../../libs/catalog/seat-map.rules.js';
import { hall } from '../hall.js';
import type { Row } from './measure.js';
import { ascending, quantile } from './quantile.js';

export async function benchSeats(): Promise<Row[]> {
  const board = new SeatBoard(new SeatHall(flatSeats(hall(20_000))));
  const times: number[] = [];
  for (const zone of board.hall.zones.keys()) {
    for (let i = 0; ; i++) {
      const began = performance.now();
      const found = board.propose({ zone, quantity: 1 + (i % 6) });
      times.push(performance.now() - began);
      if (!found.seats) {
        if (board.freeSeats(zone) === 0 || i % 6 === 0) break;
        continue;
      }
      board.take(found.seats);
      board.release(found);
    }
  }
  const sorted = ascending(times);
  const values = [0.5, 0.99, 1].map((share) => quantile(sorted, share));
  const [middle, slow, slowest] = values;
  const figure = `${middle.toFixed(3)} p99 ${slow.toFixed(2)} max ${slowest.toFixed(1)} ms`;
  return [{ name: `best seats of 20 000, ${times.length} choices`, figure, aim: 'under 20 ms', values }];
}
