// What is asked of a run, against an engine that only notes in which order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Questions } from '../../www/questions.js';

const head = (/** @type {number} */ bytes, /** @type {number} */ of) => new Uint8Array(of + bytes);
const files = async () => ({ images: head(784 * 10, 16), labels: head(10, 8) });

function setUp() {
  /** @type {string[]} */
  const asked = [];
  let step = 7;
  const forge = {
    step: () => step,
    side: () => 28,
    images_available: () => 10,
    images_wanted: () => 10,
    samples: async (/** @type {number} */ first, /** @type {number} */ count) => (asked.push(`samples ${first} ${count} at ${step}`), [new Uint8Array(784 * count), new Uint8Array(count)]),
    vitals: async () => (asked.push(`vitals at ${step}`), [new Float32Array(3), 0.75]),
    preference: async () => (asked.push(`preference at ${step}`), 0.5),
  };
  const questions = new Questions({ id: 3, forge: /** @type {any} */ (forge), supply: { chunk: files, unseen: files }, free: async () => void asked.push('free') });
  return { questions, asked, goOn: () => step++ };
}

test('samples, vitals and what D prefers are of one step, though the run goes on', async () => {
  const { questions, asked, goOn } = setUp();
  const first = questions.sample(2, true);
  await Promise.resolve();
  goOn();
  // The unseen images were not there yet: nobody waits for them.
  assert.equal((await first).preference, null);
  const second = questions.sample(2, true);
  await Promise.resolve();
  goOn();
  const { run, step, side, accuracy, preference } = await second;
  assert.deepEqual({ run, step, side, accuracy, preference }, { run: 3, step: 8, side: 28, accuracy: 0.75, preference: 0.5 });
  assert.deepEqual(asked, ['free', 'samples 0 2 at 7', 'vitals at 7', 'free', 'samples 0 2 at 8', 'vitals at 8', 'preference at 8']);
});

test('who wants images alone is given no more', async () => {
  const { questions, asked } = setUp();
  const { vitals, preference } = await questions.sample(5, false);
  assert.deepEqual([vitals, preference, asked], [null, null, ['free', 'samples 0 5 at 7']]);
});
