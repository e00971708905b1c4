// The leader of several workers, with workers that answer when they are told to.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Crew, usualCount } from '../../www/crew/crew.js';

/** @typedef {import('../../www/crew/crew.js').ToHand} ToHand */
/** @typedef {import('../../www/pkg/digit_forge_wasm.js').Forge} Forge */

/** A worker of which the test says what it does. */
class Pretended {
  /** @type {Pretended[]} */
  static all = [];
  /** @type {ToHand[]} */
  heard = [];
  ended = false;
  /** @type {(event: {data: object}) => void} */
  onmessage = () => {};
  /** @type {(event: {message: string, preventDefault: () => void}) => void} */
  onerror = () => {};
  onmessageerror = () => {};

  constructor() {
    Pretended.all.push(this);
  }

  /** @param {ToHand} message */
  postMessage(message) {
    this.heard.push(message);
    if (message.type === 'open') this.onmessage({ data: { type: 'ready' } });
  }

  /** @param {number} found */
  answer(found) {
    this.onmessage({ data: { type: 'answer', words: Float32Array.of(found) } });
  }

  terminate() {
    this.ended = true;
  }
}

const { Worker } = globalThis;
afterEach(() => {
  globalThis.Worker = Worker;
  Pretended.all = [];
});

/** A leader with as many lessons to a step, who notes what is done. @param {number} lessons */
function leader(lessons) {
  /** @type {string[]} */
  const done = [];
  let concluded = 0;
  const forge = {
    message: () => 1,
    order: () => void done.push('order'),
    work: () => void done.push('work'),
    add: (/** @type {Float32Array} */ words) => void done.push(`add ${words[0]}`),
    conclude: () => (done.push('conclude'), ++concluded % lessons === 0),
    add_data: () => void done.push('data'),
  };
  return { done, forge: /** @type {Forge} */ (/** @type {unknown} */ (forge)) };
}

/** @param {Forge} forge @param {number} count */
async function crewOf(forge, count) {
  globalThis.Worker = /** @type {typeof Worker} */ (/** @type {unknown} */ (Pretended));
  const crew = Crew.of(forge, count);
  await crew.ready('preset=quick', undefined);
  return crew;
}

const turn = () => new Promise((done) => setTimeout(done));

test('answers are added in the order of ranks, whoever is first, and a step takes as many lessons as it has', async () => {
  const { done, forge } = leader(2);
  const crew = await crewOf(forge, 3);
  assert.equal(crew.count, 3);
  assert.deepEqual(Pretended.all.map(({ heard }) => heard[0]), [1, 2].map((rank) => ({ type: 'open', text: 'preset=quick', images: undefined, rank, count: 3 })));
  let ended = false;
  const run = crew.run(1).then(() => (ended = true));
  const [first, second] = /** @type {[Pretended, Pretended]} */ (/** @type {unknown} */ (Pretended.all));
  for (const lesson of [1, 2]) {
    assert.deepEqual([first, second].map(({ heard }) => heard.length), [lesson + 1, lesson + 1]);
    second.answer(20 + lesson);
    await turn();
    first.answer(10 + lesson);
    await turn();
  }
  await run;
  assert.ok(ended);
  const lesson = (/** @type {number} */ k) => ['order', 'order', 'work', `add ${10 + k}`, `add ${20 + k}`, 'conclude'];
  assert.deepEqual(done, [...lesson(1), ...lesson(2)]);
});

test('data goes to all, and the end is the end of all', async () => {
  const { done, forge } = leader(1);
  const crew = await crewOf(forge, 4);
  crew.add_data(new Uint8Array(3), new Uint8Array(2));
  assert.deepEqual(done, ['data']);
  assert.deepEqual(Pretended.all.map(({ heard }) => heard[1]), [1, 2, 3].map(() => ({ type: 'data', images: new Uint8Array(3), labels: new Uint8Array(2) })));
  crew.end();
  assert.deepEqual(Pretended.all.map(({ ended }) => ended), [true, true, true]);
});

test('what fails, also before it is waited for, is said where the step is waited for', async () => {
  for (const fail of [
    (/** @type {Pretended} */ worker) => worker.onmessage({ data: { type: 'failed', message: 'no memory' } }),
    (/** @type {Pretended} */ worker) => worker.onerror({ message: 'no memory', preventDefault: () => {} }),
    (/** @type {Pretended} */ worker) => worker.onmessageerror(),
  ]) {
    const { done, forge } = leader(1);
    const crew = await crewOf(forge, 3);
    const [first, second] = /** @type {[Pretended, Pretended]} */ (/** @type {unknown} */ (Pretended.all.splice(0)));
    const run = crew.run(1);
    fail(second);
    await turn();
    first.answer(1);
    await assert.rejects(run, /no memory|could not be read/);
    // And the leader is left alone.
    const before = done.length;
    await assert.rejects(crew.run(1), /no memory|could not be read/);
    assert.equal(done.length, before);
  }
});

test('what is ended in the middle of a step fails, instead of waiting for ever', async () => {
  const { forge } = leader(1);
  const crew = await crewOf(forge, 2);
  const run = crew.run(3);
  crew.end();
  await assert.rejects(run, /ended/);
});

test('a worker that can’t start leaves none behind', async () => {
  const { forge } = leader(1);
  class Unable extends Pretended {
    /** @param {ToHand} message */
    postMessage(message) {
      this.heard.push(message);
      setTimeout(() => this.onerror({ message: '', preventDefault: () => {} }));
    }
  }
  globalThis.Worker = /** @type {typeof Worker} */ (/** @type {unknown} */ (Unable));
  await assert.rejects(Crew.of(forge, 3).ready('', undefined), /could not start/);
  assert.deepEqual(Pretended.all.map(({ ended }) => ended), [true, true]);
});

test('where one can’t be made, none stays', () => {
  const { forge } = leader(1);
  class Refused extends Pretended {
    constructor() {
      super();
      if (Pretended.all.length === 2) throw new Error('no more workers');
    }
  }
  globalThis.Worker = /** @type {typeof Worker} */ (/** @type {unknown} */ (Refused));
  assert.throws(() => Crew.of(forge, 4), /no more workers/);
  assert.deepEqual(Pretended.all.map(({ ended }) => ended), [true, false]);
});

test('half the processors, one for every two gigabytes, and no more than four', () => {
  assert.deepEqual([1, 2, 3, 4, 6, 8, 64].map((hardwareConcurrency) => usualCount({ hardwareConcurrency })), [1, 1, 1, 2, 3, 4, 4]);
  assert.deepEqual([0.5, 1, 2, 4, 8, 32].map((deviceMemory) => usualCount({ hardwareConcurrency: 8, deviceMemory })), [1, 1, 1, 2, 4, 4]);
  assert.equal(usualCount({}), 1);
});
