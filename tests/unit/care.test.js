// Who may call the engine while its doctor holds it: nobody, as wasm-bindgen has it.

import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { Care } from '../../www/care.js';
import { Hold } from '../../www/hold.js';
import { Questions } from '../../www/questions.js';
import { Wishes } from '../../www/wishes.js';

/** Something held for as long as a promise is pending, and which then throws at whoever calls, as wasm-bindgen's objects do. */
function engine() {
  let held = false;
  const later = (/** @type {() => unknown} */ answer) => () => wait(1 + 6 * Math.random()).then(answer);
  const holding = (/** @type {() => unknown} */ answer) => async () => {
    held = true;
    await wait(1 + 6 * Math.random());
    held = false;
    return answer();
  };
  const methods = {
    engine: () => 'gpu',
    side: () => 28,
    step: () => 7,
    images_wanted: () => 10,
    images_available: () => 10,
    settle: later(() => {}),
    wants: later(() => new Float32Array(1)),
    images: later(() => new Uint8Array(1)),
    save: later(() => new Uint8Array(1)),
    samples: later(() => [new Uint8Array(1), new Uint8Array(1)]),
    vitals: later(() => [new Float32Array(1), 0.5]),
    prepareVitals: later(() => {}),
    preference: later(() => 0.5),
    tune: () => {},
    undo: () => true,
    takeCare: holding(() => {}),
    observe: holding(() => '{"rescue":null}'),
  };
  const guarded = Object.entries(methods).map(([name, method]) => [name, (/** @type {[]} */ ...args) => {
    if (held) throw new Error(`${name}: recursive use`);
    return method(...args);
  }]);
  return Object.fromEntries(guarded);
}

test('whatever is asked while the doctor holds the engine waits for it, and an answer that comes then needs nothing of it', async () => {
  const forge = engine();
  const hold = new Hold();
  const care = new Care(forge, hold);
  /** @type {any[]} */
  const posted = [];
  const free = hold.free.bind(hold);
  const digits = async () => ({ images: new Uint8Array(16 + 7840), labels: new Uint8Array(18) });
  const questions = new Questions({
    id: 1, forge, free, supply: { chunk: digits, unseen: digits }, alone: async (task) => task(), breathe: async () => {},
  });
  const wishes = new Wishes({ id: 1, forge, on: true, free, post: (message) => posted.push(message) });
  const symptoms = { step: 7, vitals: null, samples: null, preference: null, copies: null };
  const uses = [
    () => wishes.ask('both'),
    () => questions.images(),
    () => questions.save(),
    () => questions.sample(1, true),
    () => care.undo('weak', null),
    () => hold.free(() => forge.tune('')),
    () => care.examine(/** @type {any} */ (symptoms)),
  ];
  await care.begin();
  for (let round = 0; round < 30; round++) {
    await Promise.all(Array.from({ length: 14 }, async () => {
      await wait(12 * Math.random());
      await uses[Math.floor(uses.length * Math.random())]?.();
    }));
  }
  assert.ok(posted.length > 0);
  assert.deepEqual(posted.filter(({ error }) => error), []);
});

test('of two who waited, the second waits for the first where that holds the engine, too', async () => {
  const forge = engine();
  const hold = new Hold();
  const care = new Care(forge, hold);
  const symptoms = /** @type {any} */ ({ step: 7, vitals: null, samples: null, preference: null, copies: null });
  const first = care.begin();
  const second = care.examine(symptoms);
  const third = hold.free(() => forge.side());
  assert.deepEqual(await Promise.all([first, second, third]), [undefined, { rescue: null }, 28]);
});
