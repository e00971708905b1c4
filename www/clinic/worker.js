// The clinic's worker: reads digits beside the engine's worker, so that a run pays for its samples alone. Speaks the vocabulary of
// protocol.js.

import { fetchChunk, fetchManifest } from '../data.js';
import { digitsOf, spread } from '../digits.js';
import { openJudge } from './judge.js';

/** @typedef {import('./protocol.js').ToClinic} ToClinic */
/** @typedef {import('./pkg/digit_forge_clinic.js').Clinic} Clinic */
/** @typedef {import('../digits.js').Digits} Digits */

/** Real images that meters compare with, and those that a report does: as many training images, as many test images. */
const FEW = { training: 2_000, test: 2_000 };
const ALL = { training: 10_000, test: 10_000 };

/** @type {Promise<{open: () => Clinic, training: Digits, test: Digits}> | null} */
let opened = null;
/** What a meter reads is not what a report gathers. @type {Map<typeof FEW, Clinic>} */
const clinics = new Map();

/** @param {string} base */
async function open(base) {
  const manifest = await fetchManifest(base);
  const [chunk] = manifest.chunks;
  const { test } = manifest;
  if (!chunk || !test) throw new Error('manifest.json lists no test images');
  const ignore = () => {};
  const [open, training, tests] = await Promise.all([
    openJudge(), fetchChunk(base, manifest, chunk, ignore), fetchChunk(base, manifest, test, ignore),
  ]);
  return { open, training: digitsOf(training), test: digitsOf(tests) };
}

/** @param {typeof FEW} counts */
async function comparing(counts) {
  if (!opened) throw new Error('the clinic is not open');
  const { open, training, test } = await opened;
  const known = clinics.get(counts);
  if (known) return known;
  const clinic = open();
  const [one, other] = [spread(training, counts.training), spread(test, counts.test)];
  clinic.compare(one.images, one.labels, other.images, other.labels);
  clinics.set(counts, clinic);
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
