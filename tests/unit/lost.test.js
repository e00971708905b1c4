// A run that a restart has ended: offered, brought back, and forgotten in time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LostRun } from '../../www/lost.js';

/** @typedef {{words: () => Record<string, string>, act: () => void}} Remedy */

function setUp() {
  const file = Uint8Array.of(1, 2, 3);
  const resolved = { preset: 'conv' };
  const player = Object.assign(new EventTarget(), { check: async (/** @type {Uint8Array} */ asked) => (assert.equal(asked, file), resolved) });
  const state = { step: 0, elapsed: 0 };
  /** @type {Remedy | null} */
  let offer = null;
  const notices = {
    show: (/** @type {string} */ _id, /** @type {unknown} */ _words, /** @type {{remedies: Remedy[]}} */ { remedies }) => void (offer = remedies[0] ?? null),
    dismiss: () => void (offer = null),
  };
  /** @type {unknown[]} */
  const begun = [];
  const lost = new LostRun(/** @type {any} */ ({ state, player, notices, begin: (/** @type {unknown[]} */ ...run) => begun.push(run) }));
  player.dispatchEvent(new CustomEvent('kept', { detail: { step: 1991, file } }));
  const progress = (/** @type {number} */ step, /** @type {number} */ elapsed) => {
    Object.assign(state, { step, elapsed });
    player.dispatchEvent(new Event('progress'));
  };
  return { lost, begun, file, resolved, progress, offer: () => offer };
}

test('it is offered with its step, and begins where it ended', async () => {
  const { begun, file, resolved, offer } = setUp();
  assert.deepEqual(offer()?.words(), { step: '1,991' });
  offer()?.act();
  await new Promise(setImmediate);
  assert.deepEqual(begun, [[resolved, file]]);
});

test('it is forgotten once the new run is as long, and there was time to think', () => {
  const { progress, offer } = setUp();
  progress(1990, 60_000);
  assert.ok(offer());
  progress(1991, 60_000);
  assert.equal(offer(), null);
  const quick = setUp();
  quick.progress(100_000, 3_000);
  assert.ok(quick.offer());
  quick.progress(700_000, 20_000);
  assert.equal(quick.offer(), null);
});

test('with other data it is forgotten at once', () => {
  const { lost, offer } = setUp();
  lost.forget();
  assert.equal(offer(), null);
});
