// A clinic's worker: reads digits beside the engine's worker, so that a run pays for its samples alone. Speaks the vocabulary of
// protocol.js.

import { fetchChunk, fetchManifest } from '../data.js';
import { digitsOf, firstOf, spread } from '../digits.js';
import { openClinic } from './judge.js';

/** @typedef {import('./protocol.js').ToClinic} ToClinic */
/** @typedef {import('./pkg/digit_forge_clinic.js').Clinic} Clinic */
/** @typedef {import('../digits.js').Digits} Digits */

/** @type {Promise<{clinic: Clinic, training: Digits}> | null} */
let opened = null;

/** @param {Extract<ToClinic, {type: 'open'}>} question */
async function open({ data, real }) {
  const manifest = await fetchManifest(data);
  const [first] = manifest.chunks;
  if (!first || !manifest.test) throw new Error('manifest.json lists no test images');
  const fetched = [first, manifest.test].map((chunk) => fetchChunk(data, manifest, chunk, () => {}));
  const [clinic, ...files] = await Promise.all([openClinic(), ...fetched]);
  const [training, unseen] = /** @type {[Digits, Digits]} */ (files.map(digitsOf));
  const [known, test] = /** @type {[Digits, Digits]} */ ([training, unseen].map((digits) => spread(digits, real)));
  clinic.compare(known.images, known.labels, test.images, test.labels);
  return { clinic, training };
}

/** @param {Clinic} clinic @param {Extract<ToClinic, {type: 'read' | 'gather'}>} question */
const read = (clinic, { images, labels, side }) => JSON.parse(clinic.read(images, labels ?? undefined, side));

/** The share of copies, where so few of the first training images are trained on. @param {Clinic} clinic @param {Digits} training @param {Extract<ToClinic, {type: 'read'}>} question */
const copies = (clinic, training, { images, side, few }) => (few > 0 ? clinic.copies(images, side, firstOf(training, 2 * few).images) : null);

/** @param {ToClinic} question */
async function answer(question) {
  if (question.type === 'open') return void (await (opened ??= open(question)));
  if (!opened) throw new Error('the clinic is not open');
  const { clinic, training } = await opened;
  switch (question.type) {
    case 'read':
      clinic.clear();
      return { reading: read(clinic, question), distance: JSON.parse(clinic.frechet()), copies: copies(clinic, training, question) };
    case 'gather': return read(clinic, question);
    case 'report': return { report: JSON.parse(clinic.report()), distance: JSON.parse(clinic.frechet()) };
    case 'neighbours': return JSON.parse(clinic.neighbours());
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
