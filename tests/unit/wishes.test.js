// What the discriminator wants: when a run asks, what it costs, and how it is drawn.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeWishes } from '../../www/paint.js';
import { Wishes } from '../../www/wishes.js';

/** @param {'cpu'|'gpu'} engine @param {number} ms   that an answer takes @param {string} [refusal] */
function setUp(engine, ms, refusal) {
  /** @type {any[]} */
  const posted = [];
  /** @type {boolean[]} */
  const asked = [];
  const forge = {
    engine: () => engine,
    side: () => 28,
    settle: () => new Promise((done) => setTimeout(done, engine === 'gpu' ? 30 : 0)),
    wants(/** @type {boolean} */ raw) {
      if (refusal) throw new Error(refusal);
      asked.push(raw);
      if (engine === 'cpu') for (const end = performance.now() + ms; performance.now() < end;);
      const answer = new Float32Array([raw ? 2 : 1]);
      return engine === 'cpu' ? Promise.resolve(answer) : new Promise((done) => setTimeout(() => done(answer), 30 + ms));
    },
  };
  const wishes = new Wishes({ id: 5, forge: /** @type {any} */ (forge), on: true, post: (message) => posted.push(message) });
  return { wishes, posted, asked };
}

test('only those in view are asked for, and nothing while nobody looks', async () => {
  const { wishes, posted, asked } = setUp('cpu', 1);
  await wishes.ask('averaged');
  await wishes.ask('raw');
  await wishes.ask('both');
  assert.deepEqual(asked, [false, true, false, true]);
  assert.deepEqual(posted.map(({ run, averaged, raw }) => [run, averaged?.[0], raw?.[0]]), [[5, 1, undefined], [5, undefined, 2], [5, 1, 2]]);
  wishes.on = false;
  await wishes.ask('both');
  assert.deepEqual([asked.length, wishes.isDue], [4, false]);
});

for (const engine of /** @type {const} */ (['cpu', 'gpu'])) {
  test(`on the ${engine.toUpperCase()} asking keeps to its share of the time, which is told from the second answer on`, async () => {
    const { wishes, posted } = setUp(engine, 40);
    assert.ok(wishes.isDue);
    await wishes.ask('averaged');
    assert.equal(posted[0].share, null);
    await wishes.ask('averaged');
    assert.ok(posted[1].share > 0.03 && posted[1].share <= 0.051, String(posted[1].share));
    assert.equal(wishes.isDue, false);
    // 40 ms are 5 % of 800.
    await new Promise((done) => setTimeout(done, 500));
    assert.equal(wishes.isDue, false);
    await new Promise((done) => setTimeout(done, 700));
    assert.equal(wishes.isDue, true);
  });
}

test('a run that can’t tell says why, once', async () => {
  const { wishes, posted } = setUp('cpu', 1, 'pack: no whole packs');
  await wishes.ask('averaged');
  await wishes.ask('averaged');
  assert.deepEqual([posted.length, posted[0].error, wishes.isDue], [1, 'pack: no whole packs', false]);
});

test('each image’s strongest wish is opaque, in the colour of its sign, and what is no number or 0 is left clear', () => {
  const values = new Float32Array(20 * 784);
  // Of the twelfth image, in the second row and column, the first pixels.
  values.set([-4, 4, 2, 0, Number.NaN, Number.POSITIVE_INFINITY], 11 * 784);
  const { width, height, pixels } = composeWishes(values, 28, 10, { more: [1, 2, 3], less: [4, 5, 6] });
  assert.deepEqual([width, height], [600, 120]);
  const dots = (/** @type {number} */ pixel) => [0, 1, 600, 601].map((dot) => {
    const at = 4 * (62 * 600 + 62 + 2 * pixel + dot);
    return [...pixels.subarray(at, at + 4)];
  });
  assert.deepEqual(dots(0).map(([r, , , alpha]) => [r, alpha === 255]), [[4, true], [4, false], [4, false], [4, true]]);
  assert.deepEqual(dots(1), Array(4).fill([1, 2, 3, 255]));
  const [, , , half] = dots(2)[0] ?? [];
  assert.ok(half && half > 60 && half < 200, String(half));
  for (const pixel of [3, 4, 5, 6]) assert.deepEqual(dots(pixel), Array(4).fill([0, 0, 0, 0]));
  assert.equal(pixels.filter((_, k) => k % 4 === 3 && pixels[k] !== 0).length, 12);
});
