// The order of measurements, and what is said of their times.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interval, median, order, ratio } from '../../../bench/statistics.js';

/** @typedef {import('../../../bench/statistics.js').Round} Round */

/** @param {[number, number]} a @param {[number, number]} b @returns {Round} */
const round = (a, b) => ({ a, b });

/** @param {number} count @param {(i: number) => Round} make */
const rounds = (count, make) => Array.from({ length: count }, (_, i) => make(i));

test('the median is the middle one, or the mean of the middle two', () => {
  assert.equal(median([5]), 5);
  assert.equal(median([9, 1, 10]), 9);
  assert.equal(median([10, 2, 4, 100]), 7);
});

test('the median leaves its values in their order', () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test('a round is A B B A, and so both wait as long on average', () => {
  assert.deepEqual(order(2), ['a', 'b', 'b', 'a', 'a', 'b', 'b', 'a']);
  const place = (/** @type {string} */ side) => order(3).reduce((sum, one, i) => sum + (one === side ? i : 0), 0);
  assert.equal(place('a'), place('b'));
});

test('a steady slowdown leaves the ratio of a round as it is', () => {
  const slowing = [1, 1.1, 1.2, 1.3];
  const one = round([2 * slowing[0], 2 * slowing[3]], [slowing[1], slowing[2]]);
  assert.ok(Math.abs(ratio([one]) - 2) < 1e-9);
});

test('without spread the interval is the ratio itself', () => {
  const { low, high, confidence } = interval(rounds(20, () => round([6, 6], [2, 2])));
  assert.deepEqual([low, high, confidence], [3, 3, 0.95]);
});

test('the interval holds the ratio, narrows with more rounds, and comes out the same again', () => {
  const wave = (/** @type {number} */ i) => 1 + 0.2 * Math.sin(12.9898 * i);
  const noisy = (/** @type {number} */ i) => round([4 * wave(4 * i), 4 * wave(4 * i + 3)], [2 * wave(4 * i + 1), 2 * wave(4 * i + 2)]);
  const [few, many] = [8, 200].map((count) => rounds(count, noisy));
  for (const measured of [few, many]) {
    const { low, high } = interval(measured);
    assert.ok(low <= ratio(measured) && ratio(measured) <= high && low < high, `${low} ${ratio(measured)} ${high}`);
    assert.deepEqual(interval(measured), interval(measured));
  }
  const width = (/** @type {Round[]} */ measured) => interval(measured).high - interval(measured).low;
  assert.ok(width(many) < width(few));
});

test('an outlier moves neither the median nor a bound beyond the usual', () => {
  const measured = rounds(21, (i) => round([i === 10 ? 1000 : 4, 4], [2, 2]));
  assert.deepEqual(interval(measured), { low: 2, high: 2, confidence: 0.95 });
});

test('few rounds give their range, and no confidence', () => {
  const measured = [round([4, 4], [2, 2]), round([9, 9], [3, 3])];
  assert.deepEqual(interval(measured), { low: 2, high: 3, confidence: null });
  // The ratio of medians of both lies outside those of each.
  const crossed = [round([1, 1], [1, 10]), round([10, 10], [10, 1])];
  const { low, high } = interval(crossed);
  assert.ok(low <= ratio(crossed) && ratio(crossed) <= high);
});
