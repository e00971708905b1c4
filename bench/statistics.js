// Two things timed in turns: in which order, and what the times say. A round is A B B A, so that a machine that slows
// down or speeds up meanwhile favours neither.

/** @typedef {'a' | 'b'} Side */

/** The order within a round. @type {readonly Side[]} */
export const round = ['a', 'b', 'b', 'a'];

/** The order of several rounds. @param {number} rounds @returns {Side[]} */
export const order = (rounds) => Array.from({ length: rounds }, () => round).flat();

/** @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = values.toSorted((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The times of one round. @typedef {Record<Side, number[]>} Round */

/** The median of A's times over that of B's. @param {readonly Round[]} rounds */
export const ratio = (rounds) => median(rounds.flatMap(({ a }) => a)) / median(rounds.flatMap(({ b }) => b));

/** Below this many rounds there is no interval of 95 %: even the range of all rounds holds the median less often. */
const ENOUGH = 6;
const RESAMPLES = 2000;

/**
 * Numbers from 0 to below 1, always the same (mulberry32), so that a result can be computed again from its times.
 * @param {number} seed
 */
function uniform(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * An interval of the ratio of medians. Of six rounds or more it holds 95 %: the bootstrap of whole rounds, percentiles
 * 2.5 and 97.5. Of fewer it is the range of the rounds' own ratios and that of all, which promises nothing.
 * @param {readonly Round[]} rounds at least one
 * @returns {{ low: number, high: number, confidence: number | null }}
 */
export function interval(rounds) {
  if (rounds.length < ENOUGH) {
    const ratios = [...rounds.map((one) => ratio([one])), ratio(rounds)];
    return { low: Math.min(...ratios), high: Math.max(...ratios), confidence: null };
  }
  const random = uniform(1);
  const pick = () => rounds[Math.floor(random() * rounds.length)];
  const ratios = Array.from({ length: RESAMPLES }, () => ratio(rounds.map(pick))).sort((x, y) => x - y);
  const at = (/** @type {number} */ share) => ratios[Math.round(share * (RESAMPLES - 1))];
  return { low: at(0.025), high: at(0.975), confidence: 0.95 };
}
