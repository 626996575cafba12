// Steps: the rising arrival rates of a stress run, and the one at which it breaks. Pure: no k6 in it.
import { counted, figure, percent } from './words.js';

/** It broke at the first step of which less than this share was served, or whose p95 is more than so many times that of one buyer alone. */
const SERVED = 0.95;
const SLOW = 50;

/** Each step has twice the rate of the one before. */
export function stepsOf({ first, count, seconds }) {
  return Array.from({ length: count }, (_, i) => {
    const rate = first * 2 ** i;
    return { n: i + 1, rate, seconds, wanted: rate * seconds, until: seconds * (i + 1) };
  });
}

/** What became of a step: shares of the buyers that were to come in it. */
function outcome(data, { n, wanted }) {
  const begun = Math.min(1, (counted(data, `begun{step:${n}}`) + 1) / wanted); // The last one may fall into the next step.
  const served = begun * figure(data, `served{step:${n}}`, 'rate');
  const times = figure(data, `slower{kind:book,step:${n}}`, 'p(95)');
  return { begun, served, times };
}

export function tellSteps(data, steps) {
  return steps
    .map((step) => {
      const { served, times } = outcome(data, step);
      return `${String(step.rate).padStart(6)} a second: ${percent(served)} served, booking p95 ${times.toFixed(1)} times that of one buyer alone`;
    })
    .join('\n');
}

/** The step at which it broke and how that showed, and what it still did beyond. */
export function breakingPoint(data, steps) {
  const at = steps.findIndex((step) => {
    const { served, times } = outcome(data, step);
    return served < SERVED || times > SLOW;
  });
  if (at < 0) return `not up to ${steps.at(-1).rate} buyers a second: begin with a higher --rate, or take more --steps.`;
  const { rate } = steps[at];
  const { begun, served, times } = outcome(data, steps[at]);
  const signs = [];
  if (begun < SERVED)
    signs.push(
      `${percent(1 - begun)} of the buyers could not begin, because all of k6's were still waiting (or k6 had no CPU left)`,
    );
  if (served < SERVED * begun) signs.push(`only ${percent(served)} were served`);
  if (times > SLOW) signs.push(`booking took ${times.toFixed(0)} times as long as for one buyer alone`);
  const goodput = steps.map((step) => outcome(data, step).served * step.rate);
  const [best, last] = [Math.max(...goodput), goodput.at(-1)];
  const before =
    at > 0 ? `It kept up with ${steps[at - 1].rate}.` : 'It did not keep up with the first step: begin with a lower --rate.';
  return (
    `at ${rate} buyers a second: ${signs.join('; ')}. ${before}\n` +
    `It served up to ${best.toFixed(0)} a second, and in the last step ${percent(last / best)} of that.`
  );
}
