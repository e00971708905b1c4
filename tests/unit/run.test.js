// A run against an engine that only counts: what it waits for, what it says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Run } from '../../www/run.js';

/** @param {number} step   that the engine starts from */
function setUp(step) {
  /** @type {number[]} */
  const joined = [];
  /** @type {any[]} */
  const posted = [];
  const forge = {
    engine: () => 'cpu',
    step: () => step,
    images_wanted: () => 60_000,
    images_seen: () => 64 * step,
    run(/** @type {number} */ steps) {
      step += steps;
      for (const end = performance.now() + 50; performance.now() < end;);
    },
    add_data: (/** @type {number} */ k) => joined.push(k),
    images: async () => new Uint8Array(),
    metrics: async () => new Float32Array(),
    rows: () => 8,
    columns: () => 10,
  };
  const supply = {
    repeat: () => {},
    chunksFor: async () => 4,
    has: () => false,
    chunk: (/** @type {number} */ k) => new Promise((done) => setTimeout(() => done({ images: k, labels: k }))),
  };
  const run = new Run(/** @type {any} */ ({
    id: 1, forge, supply, painter: { paint: () => {} }, look: { paper: 0, ink: 0 }, post: (/** @type {any} */ message) => posted.push(message),
  }));
  return { run, joined, posted };
}

test('a new run starts with the first images', async () => {
  const { run, joined } = setUp(0);
  await run.open();
  assert.deepEqual(joined, [0]);
});

test('a run that goes on from a checkpoint waits for all images, and counts from its step', async () => {
  const { run, joined, posted } = setUp(500);
  await run.open();
  assert.deepEqual(joined, [0, 1, 2, 3]);
  const { type, step, images } = posted.at(-1);
  assert.deepEqual([type, step, images], ['progress', 500, 32_000]);
  await new Promise((done) => {
    const post = run.post;
    run.post = (message) => (post(message), message.type === 'paused' && done(null));
    run.step();
  });
  const { step: next, rate } = posted.at(-2);
  assert.equal(next, 501);
  assert.ok(rate > 1 && rate <= 20, `${rate} steps a second, each taking 50 ms`);
});
