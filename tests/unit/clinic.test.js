// The clinic: the judge in the module that the page has, and the page's side of its worker. Needs the wasm package: `npm run wasm`
// builds it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Clinic as Page } from '../../www/clinic/clinic.js';
import { Clinic, initSync } from '../../www/clinic/pkg/digit_forge_clinic.js';
import { checkIdx } from '../../www/data.js';
import { digitsOf, spread } from '../../www/digits.js';

const bytes = (/** @type {string} */ path) => new Uint8Array(readFileSync(new URL(`../../${path}`, import.meta.url)));

initSync({ module: bytes('www/clinic/pkg/digit_forge_clinic_bg.wasm') });
const weights = bytes('crates/core/src/judge/weights.safetensors');

/** MNIST's. @param {'t10k'|'train'} which @param {number} total */
function real(which, total) {
  const [images, labels] = [bytes(`data/mnist/${which}-images-idx3-ubyte`), bytes(`data/mnist/${which}-labels-idx1-ubyte`)];
  checkIdx(which, images, [total, 28, 28]);
  return digitsOf({ images, labels });
}
const tests = real('t10k', 10_000);

test('the judge reads at least 98 % of real test images right', () => {
  const clinic = Clinic.open(weights);
  const { images, labels } = spread(tests, 1000);
  const digits = clinic.digits(images);
  const right = digits.filter((digit, k) => digit === labels[k]).length;
  assert.ok(right >= 980, `${right} of 1,000`);
  clinic.free();
});

test('real images are as good as real images, and noise is not', () => {
  const clinic = Clinic.open(weights);
  const [training, test] = [spread(real('train', 60_000), 400), spread(tests, 400)];
  clinic.compare(training.images, training.labels, test.images, test.labels);
  const { agreement, within, shares } = JSON.parse(clinic.read(test.images, test.labels, 28));
  assert.ok(agreement > 0.98 && within > 0.9 && within < 1.1, `${agreement}, ${within}`);
  assert.ok(Math.abs(shares.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b) - 1) < 1e-5);
  const near = JSON.parse(clinic.frechet());
  assert.deepEqual([near.images, near.fd < near.floor], [400, true]);
  clinic.clear();
  clinic.read(Uint8Array.from({ length: 400 * 784 }, (_, k) => (k * 7919) % 256), undefined, 28);
  assert.ok(JSON.parse(clinic.frechet()).fd > 10 * near.floor);
  assert.equal(JSON.parse(clinic.report()), null);
  clinic.free();
});

test('copies of images that a run has are told from new ones', () => {
  const clinic = Clinic.open(weights);
  const { images } = real('train', 60_000);
  const [known, others] = [images.subarray(0, 200 * 784), images.subarray(0, 400 * 784)];
  assert.equal(clinic.copies(known, 28, others), 1);
  assert.equal(clinic.copies(others.subarray(200 * 784), 28, others), 0);
  const share = clinic.copies(spread(tests, 400).images, 28, others);
  assert.ok(share > 0.4 && share < 0.6, `${share}`);
  clinic.free();
});

test('what is no image is refused', () => {
  const clinic = Clinic.open(weights);
  assert.throws(() => clinic.digits(new Uint8Array(783)), /783|784/);
  assert.throws(() => Clinic.open(new Uint8Array(10)));
  clinic.free();
});

/** A worker that answers when it is told to. */
class FakeWorker extends EventTarget {
  /** @type {FakeWorker[]} */
  static all = [];
  /** @type {any[]} */
  asked = [];
  ended = false;

  constructor() {
    super();
    FakeWorker.all.push(this);
  }

  /** @param {any} message */
  postMessage(message) {
    this.asked.push(message);
  }

  /** @param {any} value @param {string} [error] */
  answer(value, error = '') {
    const { id } = this.asked.shift();
    this.dispatchEvent(Object.assign(new Event('message'), { data: { id, value, error } }));
  }

  terminate() {
    this.ended = true;
  }
}
Object.assign(globalThis, { Worker: FakeWorker });

const images = () => ({ images: new Uint8Array(784), labels: new Uint8Array(1), side: 28 });
const later = () => new Promise((done) => setTimeout(done));

test('a clinic opens once, when something is first read, and sends no labels that nobody asked for', async () => {
  FakeWorker.all = [];
  const clinic = new Page('data/', 50);
  assert.equal(FakeWorker.all.length, 0);
  const first = clinic.read(images(), false, 0);
  const [worker] = FakeWorker.all;
  assert.ok(worker);
  const { type, data, real: compared } = worker.asked[0];
  assert.deepEqual({ type, data, compared }, { type: 'open', data: 'data/', compared: 50 });
  worker.answer(undefined);
  await later();
  assert.deepEqual([worker.asked[0].type, worker.asked[0].labels], ['read', null]);
  worker.answer('a reading');
  assert.equal(await first, 'a reading');
  const second = clinic.gather(images(), true);
  await later();
  assert.deepEqual([FakeWorker.all.length, worker.asked[0].type, worker.asked[0].labels.length], [1, 'gather', 1]);
  worker.answer(null, 'no image');
  await assert.rejects(second, /no image/);
});

test('what failed to open, or broke, opens anew the next time', async () => {
  FakeWorker.all = [];
  const clinic = new Page('data/', 50);
  const first = clinic.read(images(), true, 0);
  FakeWorker.all[0]?.answer(undefined, 'HTTP 404');
  await assert.rejects(first, /HTTP 404/);
  const second = clinic.read(images(), true, 0);
  assert.deepEqual(FakeWorker.all[0]?.asked.map(({ type }) => type), ['open']);
  FakeWorker.all[0]?.dispatchEvent(Object.assign(new Event('error'), { message: 'broken' }));
  await assert.rejects(second, /broken/);
  assert.ok(FakeWorker.all[0]?.ended);
  void clinic.open();
  assert.equal(FakeWorker.all.length, 2);
});

test('closing ends the worker at once, refuses what waits, and is for good', async () => {
  FakeWorker.all = [];
  const clinic = new Page('data/', 50);
  void clinic.open();
  FakeWorker.all[0]?.answer(undefined);
  const waiting = clinic.neighbours();
  clinic.close();
  assert.ok(FakeWorker.all[0]?.ended);
  await assert.rejects(waiting, /closed/);
  await assert.rejects(clinic.gather(images(), true), /closed/);
  await assert.rejects(clinic.report(), /not open/);
  assert.equal(FakeWorker.all.length, 1);
});
