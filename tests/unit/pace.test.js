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

test('a slow software adapter is held to one step a submit, but for a rare look at two', () => {
  for (const cost of [45, 85]) {
    const late = slices(gpuPace(), (steps) => steps * cost, 400).slice(100);
    assert.ok(late.every(({ steps }) => steps <= 2));
    assert.ok(late.filter(({ steps }) => steps === 2).length <= 12);
  }
});

test('latency that comes later, as from a page that composites, does not shrink a slice', () => {
  const pace = gpuPace();
  slices(pace, (steps) => 1 + 0.3 * steps, 60);
  const late = slices(pace, (steps) => 17 + 0.3 * steps, 200).slice(100);
  const work = late.reduce((sum, { steps }) => sum + 0.3 * steps, 0);
  const time = late.reduce((sum, { ms }) => sum + ms, 0);
  assert.ok(work > 0.3 * time, `${Math.round((100 * work) / time)} % of the time is work`);
  assert.ok(late.every(({ ms }) => ms <= 80));
});

test('a GPU whose completions vary is kept busy, and none of its submits is long', () => {
  let random = 7;
  const jitter = () => 5 + 35 * ((random = (random * 7919 + 31) % 97) / 97);
  const late = slices(gpuPace(), (steps) => jitter() + 2.7 * steps, 400).slice(200);
  const mean = late.reduce((sum, { steps }) => sum + steps, 0) / late.length;
  assert.ok(mean > 2, `${mean} steps a submit`);
  assert.ok(late.every(({ steps }) => 2.7 * steps <= 100));
});

test('a submit that turns out far too long is followed by short ones at once', () => {
  const pace = gpuPace();
  slices(pace, (steps) => 1 + 0.2 * steps, 100);
  const [first, second] = slices(pace, (steps) => 1 + 33 * steps, 2);
  assert.ok(first && first.steps >= 16 && first.ms > 250);
  assert.ok(second && second.ms <= 50, `${second?.ms} ms`);
});

test('a GPU that slows down is given less', () => {
  const pace = gpuPace();
  slices(pace, (steps) => 1 + 0.1 * steps, 100);
  const late = slices(pace, (steps) => 1 + 4 * steps, 100).slice(40);
  assert.ok(late.every(({ ms }) => ms <= 50), `${Math.max(...late.map(({ ms }) => ms))} ms`);
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
