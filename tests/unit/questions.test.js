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
    // Their labels tell which they are.
    samples: async (/** @type {number} */ first, /** @type {number} */ count) => (asked.push(`samples ${first} ${count} at ${step}`), [new Uint8Array(784 * count).fill(count % 256), Uint8Array.from({ length: count }, (_, k) => first + k)]),
    prepareVitals: async () => void asked.push('prepared'),
    vitals: async () => (asked.push(`vitals at ${step}`), [new Float32Array(3), 0.75]),
    preference: async () => (asked.push(`preference at ${step}`), 0.5),
  };
  const questions = new Questions({
    id: 3, forge: /** @type {any} */ (forge), supply: { chunk: files, unseen: files },
    free: async (use) => (asked.push('free'), use()),
    async alone(task) {
      asked.push('alone');
      return task();
    },
    breathe: async () => void asked.push('breathe'),
  });
  return { questions, asked, forge, goOn: () => step++ };
}

/** @param {string[]} asked @param {string} what */
async function until(asked, what) {
  while (!asked.includes(what)) await Promise.resolve();
}

test('samples, vitals and what D prefers are of one step, though the run goes on', async () => {
  const { questions, asked, goOn } = setUp();
  const first = questions.sample(2, true);
  await until(asked, 'samples 0 2 at 7');
  goOn();
  // The unseen images were not there yet: nobody waits for them.
  assert.equal((await first).preference, null);
  const second = questions.sample(2, true);
  await until(asked, 'samples 0 2 at 8');
  goOn();
  const { run, step, side, accuracy, preference } = await second;
  assert.deepEqual({ run, step, side, accuracy, preference }, { run: 3, step: 8, side: 28, accuracy: 0.75, preference: 0.5 });
  // What vitals need is made once.
  assert.deepEqual(asked, ['free', 'prepared', 'free', 'samples 0 2 at 7', 'vitals at 7', 'free', 'samples 0 2 at 8', 'vitals at 8', 'preference at 8']);
});

test('who wants images alone is given no more', async () => {
  const { questions, asked } = setUp();
  const { vitals, preference } = await questions.sample(5, false);
  assert.deepEqual([vitals, preference, asked], [null, null, ['free', 'samples 0 5 at 7']]);
});

test('many images are drawn in parts, each in its place, with a breath between them', async () => {
  const { questions, asked } = setUp();
  /** @type {number[]} */
  const told = [];
  const sampled = await questions.gather(500, (done) => told.push(done) > 0);
  assert.ok(sampled);
  assert.deepEqual(told, [0, 240, 480]);
  assert.deepEqual(asked, ['alone', 'samples 0 240 at 7', 'breathe', 'samples 240 240 at 7', 'breathe', 'samples 480 20 at 7', 'breathe']);
  assert.deepEqual([...sampled.labels], Array.from({ length: 500 }, (_, k) => k % 256));
  assert.deepEqual([0, 479, 480, 499].map((k) => sampled.images[784 * k]), [240, 240, 20, 20]);
  assert.deepEqual([sampled.step, sampled.images.length], [7, 784 * 500]);
});

test('who wants no more of them gets none', async () => {
  const { questions, asked } = setUp();
  assert.equal(await questions.gather(500, (done) => done < 240), null);
  assert.deepEqual(asked, ['alone', 'samples 0 240 at 7', 'breathe']);
});

test('what vitals need is made again where it failed, and nothing is read before', async () => {
  const { questions, asked, forge } = setUp();
  const { prepareVitals } = forge;
  forge.prepareVitals = async () => Promise.reject(new Error('no memory'));
  await assert.rejects(questions.sample(2, true), /no memory/);
  assert.deepEqual(asked.splice(0), ['free']);
  forge.prepareVitals = prepareVitals;
  await questions.sample(2, true);
  assert.deepEqual(asked, ['free', 'prepared', 'free', 'samples 0 2 at 7', 'vitals at 7']);
});
