// Fooling the judge, without a judge: the attack's arithmetic, and what the section makes of what it is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, countRight, MOST, moved, someOfEach, STRENGTHS } from '../../www/fooling/attack.js';
import { emptyLab, FoolingLab, hear } from '../../www/fooling/lab.js';

test('a strength moves each pixel by as much, within paper and ink, and 0 changes nothing', () => {
  const images = new Uint8Array([0, 0, 51, 51, 51, 255, 255]);
  // At strength 1: to ink, to paper (where it is), up, down, nowhere, to ink (where it is), down.
  const furthest = new Float32Array([1, 0, 1, 0, 0.2, 1, 0]);
  assert.deepEqual([...bytes(moved(images, furthest, 0))], [...images]);
  const near = moved(images, furthest, 0.1);
  [0.1, 0, 0.3, 0.1, 0.2, 1, 0.9].forEach((ink, k) => assert.ok(Math.abs(ink - /** @type {number} */ (near[k])) < 1e-6, `${k}: ${near[k]}`));
  assert.deepEqual([...bytes(moved(images, furthest, 1))], [255, 0, 255, 0, 51, 255, 0]);
});

test('the curve goes from nothing to the most, and each digit is shown as often', () => {
  assert.equal(STRENGTHS[0], 0);
  assert.ok(Math.abs(/** @type {number} */ (STRENGTHS.at(-1)) - MOST) < 1e-12);
  const labels = Uint8Array.from({ length: 60 }, (_, k) => (7 * k) % 10);
  const which = someOfEach(labels, 2);
  assert.deepEqual(which.map((k) => labels[k]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(new Set(which).size, 20);
  assert.equal(countRight([1, 2, 3], [1, 3, 3]), 2);
});

test('readings of the digits as they are stay beside those of the attacked ones', () => {
  const lab = emptyLab();
  const fooled = (/** @type {number} */ strength, /** @type {number} */ digit) =>
    hear(lab, { type: 'fooled', who: 'pinned', strength, images: new Uint8Array([digit]), digits: new Uint8Array([digit]) });
  hear(lab, { type: 'opened', labels: new Uint8Array([7]) });
  fooled(0, 7);
  fooled(0.1, 3);
  assert.deepEqual([lab.phase, lab.before?.[0], lab.after?.[0]], ['ready', 7, 3]);
  hear(lab, { type: 'using', who: 'taught' });
  assert.equal(lab.before, null);
});

test('a curve and a lesson grow, and another judge begins another', () => {
  const lab = emptyLab();
  hear(lab, { type: 'curve', who: 'pinned', count: 100, right: [99], done: 0.5 });
  hear(lab, { type: 'curve', who: 'taught', count: 100, right: [90], done: 0.5 });
  hear(lab, { type: 'using', who: 'taught' });
  assert.deepEqual(Object.keys(lab.curves), ['pinned']);
  const lesson = { type: /** @type {const} */ ('lesson'), steps: 600, rate: 10, goesOn: true };
  hear(lab, { ...lesson, seed: 1, step: 0, accuracy: 0.1 });
  hear(lab, { ...lesson, seed: 1, step: 2, accuracy: null });
  hear(lab, { ...lesson, seed: 1, step: 30, accuracy: 0.6 });
  assert.deepEqual([lab.lesson?.step, lab.lesson?.looks], [30, [[0, 0.1], [30, 0.6]]]);
  hear(lab, { ...lesson, seed: 2, step: 0, accuracy: 0.12 });
  assert.deepEqual(lab.lesson?.looks, [[0, 0.12]]);
});

test('what was asked of a new judge is asked again, a worker that fails is ended, and strengths have bounds', () => {
  /** @type {any[]} */
  const posted = [];
  let ended = 0;
  /** @type {any} */
  const worker = { postMessage: (/** @type {any} */ message) => posted.push(message), terminate: () => ended++ };
  const lab = new FoolingLab(() => worker, 'data/');
  lab.open();
  assert.deepEqual(posted.splice(0), [{ type: 'open', data: 'data/' }]);
  worker.onmessage({ data: { type: 'fooled', who: 'pinned', strength: 0, images: new Uint8Array(1), digits: new Uint8Array(1) } });
  lab.attack(0.2);
  assert.deepEqual(posted.splice(0), [{ type: 'strength', strength: 0.2 }]);
  worker.onmessage({ data: { type: 'using', who: 'taught' } });
  assert.deepEqual(posted.splice(0).map(({ strength }) => strength), [0, 0.2]);
  assert.throws(() => lab.attack(0.31), RangeError);
  assert.throws(() => lab.attack(Number.NaN), RangeError);
  lab.teach();
  worker.onmessage({ data: { type: 'lesson', seed: 1, step: 600, steps: 600, accuracy: 0.9, rate: 1, goesOn: false } });
  lab.teach();
  assert.deepEqual(posted.splice(0), [{ type: 'teach', anew: false }, { type: 'teach', anew: true }]);
  worker.onmessage({ data: { type: 'failed', message: 'broken' } });
  assert.deepEqual([lab.lab.phase, lab.lab.message, ended], ['failed', 'broken', 1]);
});
