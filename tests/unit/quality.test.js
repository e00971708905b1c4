// How often a run is read, and what the meters make of a reading.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForDigits, pause, Quality, SHARE } from '../../www/quality.js';

test('readings take at most their share of the training’s time', () => {
  for (const cost of [0, 5, 40, 400, 4000]) {
    for (const [looked, young] of /** @type {const} */ ([[true, false], [false, false], [true, true]])) {
      assert.ok(cost / pause(cost, looked, young) <= SHARE + 1e-9, `${cost} ms`);
    }
  }
  assert.ok(SHARE < 0.05);
  // Somebody who looks sees more, and a young run is looked after more closely.
  assert.ok(pause(1, true, true) < pause(1, true, false));
  assert.ok(pause(1, true, false) < pause(1, false, false));
});

/** A run of nothing, that is asked for samples. @param {{looked?: boolean, fails?: boolean}} how */
function scene({ looked = true, fails = false } = {}) {
  const seen = { asked: 0, told: /** @type {number[]} */ ([]), failed: /** @type {string[]} */ ([]) };
  const state = /** @type {any} */ ({ phase: 'playing', run: 1, step: 5000, elapsed: 60_000, resolved: { values: { condition: 'projection' } } });
  /** @type {(value: any) => void} */
  let answer = () => {};
  const quality = new Quality({
    state,
    player: /** @type {any} */ ({ sample: async () => ({ run: state.run, step: ++seen.asked, ms: 1, vitals: null, accuracy: 0.5 }) }),
    clinic: /** @type {any} */ ({
      read: () => (fails ? Promise.reject(new Error('gone')) : new Promise((resolve) => (answer = resolve))),
    }),
    looked: () => looked,
    cared: () => false,
    told: ({ step }) => seen.told.push(step),
    failed: (message) => seen.failed.push(message),
  });
  return { quality, seen, state, answer: () => answer({ reading: {}, distance: {} }) };
}

const later = () => new Promise((done) => setTimeout(done, 5));

// A page's timers are a window's.
Object.assign(globalThis, { window: globalThis });

test('what is read is told, unless another run has begun meanwhile, or it went back', async () => {
  const { quality, seen, state, answer } = scene();
  quality.start();
  await later();
  assert.equal(seen.asked, 1);
  answer();
  await later();
  assert.deepEqual(seen.told, [1]);
  quality.start();
  await later();
  state.run = 2;
  answer();
  await later();
  assert.deepEqual([seen.asked, seen.told], [2, [1]]);

  // What was sampled before a run went back says nothing of it.
  state.run = 1;
  quality.start();
  await later();
  const before = answer;
  quality.forget();
  before();
  await later();
  assert.deepEqual(seen.told, [1]);
  state.phase = 'paused';
  quality.update();
});

test('a judge that can’t be had is asked again only when somebody says so', async () => {
  const { quality, seen, state } = scene({ fails: true });
  quality.start();
  await later();
  assert.deepEqual(seen.failed, ['gone']);
  quality.update();
  await later();
  assert.equal(seen.asked, 1);
  quality.start();
  quality.resume();
  await later();
  assert.equal(seen.asked, 2);
  state.phase = 'paused';
  quality.update();
});

test('nobody looks: nothing is asked', async () => {
  const { quality, seen } = scene({ looked: false });
  quality.start();
  await later();
  assert.equal(seen.asked, 0);
});

test('without labels no digit was asked for', () => {
  assert.equal(asksForDigits(/** @type {any} */ ({ resolved: { values: { condition: 'none' } } })), false);
  assert.equal(asksForDigits(/** @type {any} */ ({ resolved: { values: { condition: 'concat' } } })), true);
});
