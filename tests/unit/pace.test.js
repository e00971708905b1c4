// How many steps a slice gets, on engines of every speed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuPace, gpuPace } from '../../www/pace.js';

/**
 * @param {import('../../www/pace.js').Pace} pace
 * @param {(steps: number) => number} took
 * @param {number} times
 */
function slices(pace, took, times) {
  const all = [];
  for (let k = 0; k < times; k++) {
    const steps = pace.steps;
    const ms = took(steps);
    all.push({ steps, ms });
    pace.record(steps, ms);
  }
  return all;
}

test('a slice on the CPU settles near ten milliseconds', () => {
  for (const cost of [0.02, 0.4, 2.5]) {
    const { ms } = slices(cpuPace(), (steps) => steps * cost, 40).at(-1) ?? { ms: 0 };
    assert.ok(ms > 6 && ms <= 12, `${cost} ms a step: ${ms} ms a slice`);
  }
});

test('a machine too slow for its target takes one step at a time', () => {
  const all = slices(cpuPace(), (steps) => steps * 80, 10);
  assert.deepEqual([...new Set(all.map(({ steps }) => steps))], [1]);
});

test('a CPU that slows down is given less at once', () => {
  const pace = cpuPace();
  slices(pace, (steps) => steps * 0.5, 30);
  const [first, second] = slices(pace, (steps) => steps * 5, 2);
  assert.ok(first && first.steps >= 15);
  assert.ok(second && second.ms <= 12, `${second?.ms} ms`);
});

test('no slice on the CPU outlasts 50 ms while the speed is steady', () => {
  for (const cost of [0.001, 0.3, 7]) {
    for (const { ms } of slices(cpuPace(), (steps) => steps * cost, 60)) assert.ok(ms <= 50, `${cost}: ${ms}`);
  }
});

test('a submit on the GPU settles near ten milliseconds where completions are prompt', () => {
  const all = slices(gpuPace(), (steps) => 0.2 + steps * 0.5, 80);
  for (const { ms } of all) assert.ok(ms <= 50, `${ms} ms`);
  const last = all.at(-1);
  assert.ok(last && last.ms > 5 && last.ms < 15, `${last?.ms} ms`);
});

test('a slow software adapter is held to one step a submit', () => {
  const all = slices(gpuPace(), (steps) => steps * 45, 60);
  assert.equal(all.at(-1)?.steps, 1);
});

test('completions that arrive 100 ms late do not set the pace', () => {
  // Firefox: two submits in flight, both seen at the same tick of 100 ms.
  const cost = 0.5;
  let steps = 0;
  let ms = 0;
  const pace = gpuPace();
  for (let k = 0; k < 200; k++) {
    const work = 2 * pace.steps * cost;
    const took = Math.max(100, Math.ceil(work / 100) * 100);
    const asked = pace.steps;
    pace.record(asked, took);
    pace.record(asked, 0);
    steps = asked;
    ms = took;
  }
  const share = (2 * steps * cost) / ms;
  assert.ok(share > 0.6, `the GPU works ${Math.round(100 * share)} % of the time`);
  assert.ok(steps * cost <= 75, `one submit takes ${steps * cost} ms`);
});
