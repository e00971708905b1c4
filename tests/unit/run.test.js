// A run against an engine that only counts: what it waits for, what it says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Run } from '../../www/run.js';

/** @param {number} step   that the engine starts from @param {'cpu'|'gpu'} engine @param {any} view @param {any} crew */
function setUp(step, engine = 'cpu', view = 'averaged', crew = null) {
  /** @type {number[]} */
  const joined = [];
  /** @type {any[]} */
  const posted = [];
  /** @type {string[]} */
  const drawn = [];
  const forge = {
    engine: () => engine,
    step: () => step,
    images_wanted: () => 60_000,
    images_seen: () => 64 * step,
    run(/** @type {number} */ steps) {
      step += steps;
      for (const end = performance.now() + 50; performance.now() < end;);
    },
    add_data: (/** @type {number} */ k) => joined.push(k),
    images: async () => new Uint8Array([1]),
    raw_images: async () => new Uint8Array([2]),
    settle: async () => {},
    draw: () => drawn.push('averaged'),
    add_raw_canvas: (/** @type {string} */ canvas) => drawn.push(`on ${canvas}`),
    draw_raw: () => drawn.push('raw'),
    metrics: async () => new Float32Array(),
    samples: async (/** @type {number} */ _first, /** @type {number} */ count) => [new Uint8Array(784 * count).fill(step), new Uint8Array(count)],
    rows: () => 8,
    columns: () => 10,
    side: () => 28,
  };
  const supply = {
    repeat: () => {},
    chunksFor: async () => 4,
    has: () => false,
    chunk: (/** @type {number} */ k) => new Promise((done) => setTimeout(() => done({ images: k, labels: k }))),
  };
  const painter = (/** @type {string} */ name) => ({ paint: (/** @type {Uint8Array} */ [which]) => drawn.push(`${name} ${which}`) });
  const run = new Run(/** @type {any} */ ({
    id: 1, forge, crew, supply, painters: engine === 'cpu' ? { averaged: painter('averaged'), raw: painter('raw') } : null, raw: 'a canvas',
    look: { paper: 0, ink: 0 }, view, post: (/** @type {any} */ message) => posted.push(message),
  }));
  const paused = () => new Promise((done) => {
    run.post = (message) => message.type === 'paused' && done(null);
    run.pause();
  });
  return { run, joined, posted, drawn, paused };
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

test('it draws what is to be seen and nothing else', async () => {
  const { run, drawn, paused } = setUp(0);
  await run.open();
  run.show('both');
  await paused();
  run.show('raw');
  await paused();
  assert.deepEqual(drawn, ['averaged 1', 'averaged 1', 'raw 2', 'raw 2']);
});

test('on a GPU the raw generator gets its canvas once it is to be seen', async () => {
  const { run, drawn, paused } = setUp(0, 'gpu');
  await run.open();
  assert.deepEqual(drawn.splice(0), ['averaged']);
  run.show('both');
  await paused();
  assert.deepEqual(drawn.splice(0), ['averaged', 'on a canvas', 'raw']);
  run.show('raw');
  await paused();
  assert.deepEqual(drawn, ['raw']);
});

test('the training rests while images of one step are drawn, and goes on', async () => {
  const { run, paused } = setUp(0);
  await run.open();
  /** Timers have no turn while a run plays here. @param {number} after */
  const untilStep = (after) => new Promise((done) => (run.post = (message) => message.type === 'progress' && message.step > after && done(null)));
  const begun = untilStep(0);
  run.play();
  await begun;
  const sampled = await run.questions.gather(1000, () => true);
  assert.ok(sampled && sampled.step > 0);
  assert.ok(sampled.images.every((value) => value === sampled.step));
  await untilStep(sampled.step);
  await paused();
  // Where it rests anyway, it is asked the same.
  assert.equal((await run.questions.gather(10, () => true))?.step, run.forge.step());
});

test('of a run that has ended nothing is drawn', async () => {
  const { run } = setUp(0);
  await run.open();
  Object.assign(run.forge, { destroy: () => {} });
  const gathered = run.questions.gather(10, () => true);
  const ended = run.destroy();
  await assert.rejects(gathered, /the run has ended/);
  await ended;
});

/** An engine whose steps others share: it says what was called in the middle of one, which is nothing's business but theirs. */
function shared() {
  /** @type {string[]} */
  const disturbed = [];
  /** @type {Set<string>} */
  const called = new Set();
  let inStep = false;
  /** @type {(error: Error) => void} */
  let end = () => {};
  /** @type {any} */
  let inner;
  const crew = {
    async run(/** @type {number} */ steps) {
      for (let k = 0; k < steps; k++) {
        inStep = true;
        await new Promise((done, reject) => {
          end = reject;
          setTimeout(done, 2);
        });
        inStep = false;
        inner.made(1);
      }
    },
    add_data: (/** @type {number} */ k) => forge.add_data(k),
    end: () => end(new Error('ended')),
  };
  const { run, joined, posted, paused } = setUp(0, 'cpu', 'averaged', crew);
  inner = Object.assign(run.forge, {
    made: (/** @type {number} */ steps) => Object.assign(inner, { step: ((/** @type {number} */ now) => () => now)(inner.step() + steps) }),
    save: async () => new Uint8Array(1),
    tune: () => {},
    wants: async () => new Float32Array(1),
    destroy: () => {},
  });
  const forge = new Proxy(inner, {
    get(target, name) {
      const method = target[name];
      if (typeof method !== 'function' || name === 'made') return method;
      return (/** @type {unknown[]} */ ...args) => {
        called.add(String(name));
        if (inStep) disturbed.push(String(name));
        return method(...args);
      };
    },
  });
  for (const part of [run, run.questions, run.wishes, run.drawing]) part.forge = forge;
  return { run, joined, posted, paused, disturbed, called };
}

test('nothing meets an engine in the middle of a step that others share', async () => {
  const { run, joined, paused, disturbed, called } = shared();
  await run.open();
  run.play();
  const wait = () => new Promise((done) => setTimeout(done, 1 + 5 * Math.random()));
  for (let round = 0; round < 25; round++) {
    await wait();
    /** @type {Promise<unknown>[]} */
    const asked = [run.questions.images(), run.questions.save(), run.questions.sample(10, false), run.tune('gRate=1')];
    run.restyle({ paper: 0, ink: 1 });
    run.wish(round % 2 === 0);
    await wait();
    if (round % 5 === 4) {
      run.step();
      await wait();
      asked.push(run.questions.gather(10, () => true));
      run.play();
    }
    await Promise.all(asked);
  }
  await paused();
  assert.deepEqual(joined, [0, 1, 2, 3]);
  assert.deepEqual(disturbed, []);
  for (const method of ['images', 'save', 'samples', 'tune', 'add_data', 'metrics', 'wants', 'step']) assert.ok(called.has(method), method);
});

test('a run that ends in the middle of such a step ends at once, and what fails in one is refused from then on', async () => {
  const { run, posted } = shared();
  await run.open();
  run.play();
  await new Promise((done) => setTimeout(done, 11));
  await run.destroy();
  assert.ok(!posted.some(({ type }) => type === 'failed'));

  const other = shared();
  await other.run.open();
  other.run.play();
  await new Promise((done) => setTimeout(done, 11));
  other.run.crew?.end();
  await assert.rejects(other.run.questions.save(), /ended/);
  await new Promise((done) => setTimeout(done, 11));
  assert.deepEqual(other.posted.filter(({ type }) => type === 'failed').map(({ message }) => message), ['ended']);
});
