// What the discriminator is shown, so that it gives itself away where it knows its images by heart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError } from '../../www/data.js';
import { firstOf, PIXELS, spread } from '../../www/digits.js';
import { Memory } from '../../www/memory.js';

/** Images whose label and first pixel say which they are. @param {number} count @param {number} from */
const numbered = (count, from = 0) => {
  const digits = { images: new Uint8Array(count * PIXELS), labels: Uint8Array.from({ length: count }, (_, k) => from + k) };
  digits.labels.forEach((number, k) => (digits.images[k * PIXELS] = number));
  return digits;
};

/** As files. @param {{images: Uint8Array, labels: Uint8Array}} digits */
const files = ({ images, labels }) => ({ images: new Uint8Array([...Array(16).fill(0), ...images]), labels: new Uint8Array([...Array(8).fill(0), ...labels]) });

const later = () => new Promise((done) => setTimeout(done));

/** @param {{trained?: number, available?: number, first?: number, unseen?: () => Promise<any>}} of */
function memory({ trained = 60_000, available = trained, first = 40, unseen = async () => files(numbered(30, 100)) } = {}) {
  const asked = { unseen: 0 };
  const forge = { available, images_available: () => forge.available, images_wanted: () => trained };
  const supply = { chunk: async () => files(numbered(first)), unseen: () => (asked.unseen++, unseen()) };
  const memory = new Memory(forge, supply);
  return { asked, forge, shown: (/** @type {number} */ now = 0) => memory.shown(now) };
}

test('images are chosen from all over a set, and repeated where it is small', () => {
  assert.deepEqual([...spread(numbered(100), 5).labels], [0, 20, 40, 60, 80]);
  const few = spread(firstOf(numbered(100), 2), 6);
  assert.deepEqual([...few.labels], [0, 0, 0, 1, 1, 1]);
  assert.deepEqual([...few.labels], Array.from({ length: 6 }, (_, k) => few.images[k * PIXELS]));
});

test('D is shown as many images that the run trains on as unseen ones, fetched once', async () => {
  const { asked, shown } = memory({ trained: 10 });
  assert.equal(shown(), null);
  await later();
  const { known, unseen } = shown() ?? assert.fail('nothing is shown');
  assert.equal(known.labels.length, unseen.labels.length);
  assert.deepEqual([...new Set(known.labels)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.ok(unseen.labels.every((number) => number >= 100));
  assert.equal(asked.unseen, 1);
});

test('a run on many images is asked now and then, one on few each time', async () => {
  for (const [trained, again] of /** @type {const} */ ([[60_000, false], [1000, true]])) {
    const { shown } = memory({ trained });
    shown();
    await later();
    assert.ok(shown(10_000));
    assert.equal(shown(14_999) !== null, again);
    assert.ok(shown(15_000));
  }
});

test('what a run leaves out of the training images is unseen, where that is enough', async () => {
  const { asked, shown } = memory({ trained: 100, first: 100 + 512 });
  assert.equal(shown(), null);
  await later();
  const { known, unseen } = shown() ?? assert.fail('nothing is shown');
  assert.ok(known.labels.every((number) => number < 100));
  assert.deepEqual([...unseen.labels], Array.from({ length: 512 }, (_, k) => (100 + k) % 256));
  assert.equal(asked.unseen, 0);
});

test('a run’s own images come first', async () => {
  const { asked, forge, shown } = memory({ available: 10_000 });
  assert.equal(shown(), null);
  await later();
  assert.deepEqual([shown(), asked.unseen], [null, 0]);
  forge.available = 60_000;
  assert.equal(shown(), null);
  await later();
  assert.ok(shown());
});

test('where nothing unseen can be had nothing is said, and nothing fails', async () => {
  for (const unseen of [async () => null, () => Promise.reject(new DataError('test-images', 'missing', 'HTTP 404'))]) {
    const { asked, shown } = memory({ unseen });
    assert.equal(shown(), null);
    await later();
    assert.deepEqual([shown(), asked.unseen], [null, 1]);
  }
});
