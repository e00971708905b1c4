// The clinic's worker: reads digits beside the engine's worker, so that a run pays for its samples alone. Speaks the vocabulary of
// protocol.js.

import { fetchChunk, fetchManifest } from '../data.js';
import { openJudge } from './judge.js';

/** @typedef {import('./protocol.js').ToClinic} ToClinic */
/** @typedef {import('./pkg/digit_forge_clinic.js').Clinic} Clinic */
/** @typedef {{images: Uint8Array, labels: Uint8Array}} Labelled */

/** Real images that meters compare with, and those that a report does: as many training images, as many test images. */
const FEW = { training: 2_000, test: 2_000 };
const ALL = { training: 10_000, test: 10_000 };
const PIXELS = 28 * 28;

/** @type {Promise<{clinic: Clinic, training: Labelled, test: Labelled}> | null} */
let opened = null;
/** @type {typeof FEW | null} */
let compared = null;

/** The bytes behind the heads of two IDX files. @param {Labelled} files @returns {Labelled} */
const plain = ({ images, labels }) => ({ images: images.subarray(16), labels: labels.subarray(8) });

/** @param {Labelled} data @param {number} count @returns {[Uint8Array, Uint8Array]} */
const first = ({ images, labels }, count) => [images.subarray(0, count * PIXELS), labels.subarray(0, count)];

/** @param {string} base */
async function open(base) {
  const manifest = await fetchManifest(base);
  const [chunk] = manifest.chunks;
  const { test } = manifest;
  if (!chunk || !test) throw new Error('manifest.json lists no test images');
  const ignore = () => {};
  const [clinic, training, tests] = await Promise.all([
    openJudge(), fetchChunk(base, manifest, chunk, ignore), fetchChunk(base, manifest, test, ignore),
  ]);
  return { clinic, training: plain(training), test: plain(tests) };
}

/** @param {typeof FEW} counts */
async function comparing(counts) {
  if (!opened) throw new Error('the clinic is not open');
  const { clinic, training, test } = await opened;
  if (compared !== counts) clinic.compare(...first(training, counts.training), ...first(test, counts.test));
  compared = counts;
  return clinic;
}

/** @param {ToClinic} question */
async function answer(question) {
  switch (question.type) {
    case 'open': return void (await (opened ??= open(question.data)));
    case 'read': {
      const clinic = await comparing(FEW);
      clinic.clear();
      const reading = JSON.parse(clinic.read(question.images, question.labels ?? undefined, question.side));
      return { reading, distance: JSON.parse(clinic.frechet()) };
    }
    case 'gather': {
      const clinic = await comparing(ALL);
      if (question.first) clinic.clear();
      return JSON.parse(clinic.read(question.images, question.labels ?? undefined, question.side));
    }
    case 'report': {
      const clinic = await comparing(ALL);
      return { report: JSON.parse(clinic.report()), distance: JSON.parse(clinic.frechet()) };
    }
    case 'neighbours': return JSON.parse((await comparing(ALL)).neighbours());
  }
}

/** One after the other. @type {Promise<void>} */
let last = Promise.resolve();

self.addEventListener('message', (event) => {
  /** @type {ToClinic} */
  const question = event.data;
  last = last.then(() => answer(question)).then(
    (value) => self.postMessage({ id: question.id, value, error: '' }),
    (error) => {
      // What failed to open may open the next time.
      if (question.type === 'open') opened = null;
      self.postMessage({ id: question.id, value: null, error: error instanceof Error ? error.message : String(error) });
    },
  );
});
