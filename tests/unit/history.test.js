// The charts' memory: bounded, faithful, and honest about numbers that aren't.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../../www/history.js';

/** @param {number} from @param {number} count */
function rows(from, count) {
  const all = new Float32Array(5 * count);
  for (let k = 0; k < count; k++) all.set([from + k, 1, (from + k) / 1000, 0.25, 0.75], 5 * k);
  return all;
}

test('every step is kept while there is room', () => {
  const history = new History(64);
  history.add(rows(1, 10));
  assert.deepEqual(history.steps, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(history.series[2], Array(10).fill(0.25));
});

test('a long run stays bounded and covers all of it', () => {
  const history = new History(64);
  for (let at = 1; at <= 100_000; at += 250) history.add(rows(at, 250));
  assert.ok(history.steps.length < 64 && history.steps.length >= 32, `${history.steps.length} points`);
  assert.ok((history.steps.at(-1) ?? 0) > 96_000);
  assert.deepEqual(history.steps, [...history.steps].sort((a, b) => a - b));
  for (const values of history.series) assert.equal(values.length, history.steps.length);
});

test('a point is the mean of the steps it stands for', () => {
  const history = new History(8);
  history.add(rows(1, 8));
  assert.deepEqual(history.steps, [2, 4, 6, 8]);
  const [first] = history.series[1] ?? [];
  assert.ok(Math.abs((first ?? 0) - 0.0015) < 1e-6);
});

test('a number that is not finite is a gap, and its step is remembered', () => {
  const history = new History(64);
  history.add(rows(1, 3));
  history.add(new Float32Array([4, NaN, 1, 0.5, 0.5, 5, 1, Infinity, 0.5, 0.5]));
  assert.equal(history.brokenAt, 4);
  assert.deepEqual(history.series[0], [1, 1, 1, null, 1]);
  assert.equal(history.series[1]?.[4], null);
});

test('a table gets few rows, the newest last', () => {
  const history = new History(1024);
  history.add(rows(1, 500));
  const table = history.sample(10);
  assert.equal(table.length, 10);
  assert.equal(table[0]?.[0], 1);
  assert.equal(table.at(-1)?.[0], 500);
  assert.deepEqual(new History().sample(10), []);
});
