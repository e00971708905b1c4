// The worker of "Fooling the judge": attacks digits, and teaches judges, apart from the run and from the reading of its
// samples. It works in small pieces, so that it hears what is asked meanwhile.
//
//   page → worker   open · strength · use · teach · stop
//   worker → page   opened · fooled · curve · lesson · using · failed

import { clinicOf, openClinic, openSchool } from '../clinic/judge.js';
import { fetchChunk, fetchManifest } from '../data.js';
import { digitsOf, PIXELS } from '../digits.js';
import { bytes, countRight, moved, someOfEach, STRENGTHS } from './attack.js';

/** @typedef {'pinned'|'taught'} Who */
/** @typedef {import('../clinic/pkg/digit_forge_clinic.js').Clinic} Clinic */
/** @typedef {import('../clinic/pkg/digit_forge_clinic.js').School} School */
/** @typedef {import('../digits.js').Digits} Digits */

/**
 * `use` takes the pinned judge, or the one taught as it is by now. `teach` goes on, or begins anew with another seed.
 * @typedef {{type: 'open', data: string}
 *   | {type: 'strength', strength: number}
 *   | {type: 'use', who: Who}
 *   | {type: 'teach', anew: boolean}
 *   | {type: 'stop'}} ToFooling
 */

/**
 * `fooled`: the shown digits at a strength, ink = 255, and what the judge reads in them. `curve`: how many of `count` it reads
 * right at the strengths so far, and how much of all that is done. `lesson`: the share of held-out digits read right after
 * `step` of `steps`, where it was just found; steps a second; whether it goes on.
 * @typedef {{type: 'opened', labels: Uint8Array}
 *   | {type: 'fooled', who: Who, strength: number, images: Uint8Array, digits: Uint8Array}
 *   | {type: 'curve', who: Who, count: number, right: number[], done: number}
 *   | {type: 'lesson', seed: number, step: number, steps: number, accuracy: number | null, rate: number, goesOn: boolean}
 *   | {type: 'using', who: Who}
 *   | {type: 'failed', message: string}} FromFooling
 */

/** Digits shown of each kind. */
const EACH = 2;
/** Images at a time, between which messages are heard. */
const AT_ONCE = 100;
/** Steps of a lesson. */
const STEPS = 600;
/** Steps between two looks at the held-out digits, of which so many are read. */
const LOOK_EVERY = 30;
const LOOK_AT = 500;
/** Steps between which messages are heard. */
const SLICE = 2;

const channel = new MessageChannel();
/** Both the curve and the lesson may wait. @type {((value: unknown) => void)[]} */
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.(undefined);
/** Lets messages in. */
const breathe = () =>
  new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(0);
  });

/** @param {FromFooling} message @param {Transferable[]} transfer */
const post = (message, transfer = []) => self.postMessage(message, { transfer });

/** A judge, and what it was asked. */
class Subject {
  /** Of the test images, how each moves at strength 1, as far as it is known. @type {Float32Array[]} */
  #furthest = [];
  /** @type {number[]} */
  right = [];

  /** @param {Who} who @param {Clinic} clinic */
  constructor(who, clinic) {
    this.who = who;
    this.clinic = clinic;
  }

  /** @param {Digits} digits @param {number} k   which hundred */
  furthest({ images, labels }, k) {
    const from = k * AT_ONCE;
    return (this.#furthest[k] ??= this.clinic.attack(images.subarray(from * PIXELS, (from + AT_ONCE) * PIXELS), labels.subarray(from, from + AT_ONCE), 1));
  }

  free() {
    this.clinic.free();
  }
}

class Fooling {
  strength = 0;
  /** @type {Promise<void> | null} */
  #curving = null;
  /** @type {{school: School, seed: number, rate: number} | null} */
  #lesson = null;
  #teaching = false;
  /** @type {Float32Array | null} */
  #shownFurthest = null;

  /**
   * @param {string} data
   * @param {import('../data.js').Manifest} manifest
   * @param {Clinic} clinic
   * @param {Digits} test
   */
  constructor(data, manifest, clinic, test) {
    this.data = data;
    this.manifest = manifest;
    this.pinned = new Subject('pinned', clinic);
    this.subject = this.pinned;
    this.test = test;
    const which = someOfEach(test.labels, EACH);
    /** @type {Digits} */
    this.shown = { images: new Uint8Array(which.length * PIXELS), labels: Uint8Array.from(which, (k) => /** @type {number} */ (test.labels[k])) };
    which.forEach((k, n) => this.shown.images.set(test.images.subarray(k * PIXELS, (k + 1) * PIXELS), n * PIXELS));
  }

  /** The digits shown, at this strength. @param {number} strength */
  fool(strength) {
    this.strength = strength;
    const { images, labels } = this.shown;
    const { who, clinic } = this.subject;
    this.#shownFurthest ??= clinic.attack(images, labels, 1);
    const ink = moved(images, this.#shownFurthest, strength);
    const picture = bytes(ink);
    post({ type: 'fooled', who, strength, images: picture, digits: clinic.digitsOfInk(ink) }, [picture.buffer]);
  }

  /** @param {Subject} subject */
  take(subject) {
    if (this.subject !== this.pinned && this.subject !== subject) this.subject.free();
    this.subject = subject;
    this.#shownFurthest = null;
    post({ type: 'using', who: subject.who });
    this.fool(this.strength);
    this.curve();
  }

  /** How many are read right over the strengths; what is known stays known. */
  curve() {
    this.#curving ??= this.#curve().finally(() => (this.#curving = null));
  }

  async #curve() {
    const { labels } = this.test;
    const parts = Math.floor(labels.length / AT_ONCE);
    for (let subject = this.subject; subject.right.length < STRENGTHS.length; subject = this.subject) {
      const strength = /** @type {number} */ (STRENGTHS[subject.right.length]);
      let right = 0;
      for (let k = 0; k < parts && subject === this.subject; k++) {
        const furthest = subject.furthest(this.test, k);
        await breathe();
        if (subject !== this.subject) break;
        const from = k * AT_ONCE;
        const images = this.test.images.subarray(from * PIXELS, (from + AT_ONCE) * PIXELS);
        right += countRight(subject.clinic.digitsOfInk(moved(images, furthest, strength)), labels.subarray(from, from + AT_ONCE));
        await breathe();
      }
      if (subject !== this.subject) continue;
      subject.right.push(right);
      this.#tellCurve();
    }
    this.#tellCurve();
  }

  #tellCurve() {
    const { who, right } = this.subject;
    post({ type: 'curve', who, count: this.test.labels.length, right: [...right], done: right.length / STRENGTHS.length });
  }

  /** @param {boolean} anew */
  async teach(anew) {
    if (this.#teaching) return;
    this.#teaching = true;
    try {
      if (anew || !this.#lesson) await this.#enrol();
      await this.#study();
    } finally {
      this.#teaching = false;
    }
  }

  async #enrol() {
    const [first] = this.manifest.chunks;
    if (!first) throw new Error('there are no training images');
    const { images, labels } = digitsOf(await fetchChunk(this.data, this.manifest, first, () => {}));
    const seed = 1 + (this.#lesson?.seed ?? 0);
    this.#lesson?.school.free();
    const school = openSchool(seed, STEPS, first.count);
    school.add(images, labels);
    this.#lesson = { school, seed, rate: 0 };
    this.#look();
  }

  async #study() {
    const lesson = this.#lesson;
    if (!lesson) return;
    const { school } = lesson;
    let began = performance.now();
    let from = school.steps();
    while (this.#teaching && school.steps() < STEPS) {
      school.run(SLICE);
      const now = performance.now();
      if (now > began) lesson.rate = (1000 * (school.steps() - from)) / (now - began);
      if (school.steps() % LOOK_EVERY === 0) {
        this.#look();
        [began, from] = [performance.now(), school.steps()];
      } else this.#tellLesson(null);
      await breathe();
    }
    this.#teaching = false;
    this.#tellLesson(null);
  }

  stop() {
    this.#teaching = false;
  }

  /** At held-out digits. */
  #look() {
    const { images, labels } = this.test;
    const digits = this.#lesson?.school.digits(images.subarray(0, LOOK_AT * PIXELS)) ?? [];
    this.#tellLesson(countRight(digits, labels.subarray(0, LOOK_AT)) / LOOK_AT);
  }

  /** @param {number | null} accuracy */
  #tellLesson(accuracy) {
    if (!this.#lesson) return;
    const { school, seed, rate } = this.#lesson;
    post({ type: 'lesson', seed, step: school.steps(), steps: STEPS, accuracy, rate, goesOn: this.#teaching });
  }

  /** The judge taught so far, by the weights of now. */
  taught() {
    if (!this.#lesson) throw new Error('no judge has been taught');
    return new Subject('taught', clinicOf(this.#lesson.school.save()));
  }
}

/** @type {Promise<Fooling> | null} */
let opened = null;

/** @param {string} data   address of the folder of MNIST */
async function open(data) {
  const manifest = await fetchManifest(data);
  if (!manifest.test) throw new Error('manifest.json lists no test images');
  const [clinic, test] = await Promise.all([openClinic(), fetchChunk(data, manifest, manifest.test, () => {})]);
  const fooling = new Fooling(data, manifest, clinic, digitsOf(test));
  post({ type: 'opened', labels: fooling.shown.labels });
  fooling.fool(0);
  fooling.curve();
  return fooling;
}

/** @param {Exclude<ToFooling, {type: 'open'}>} message */
async function obey(message) {
  const fooling = await opened;
  if (!fooling) return;
  switch (message.type) {
    case 'strength': return fooling.fool(message.strength);
    case 'use': return fooling.take(message.who === 'pinned' ? fooling.pinned : fooling.taught());
    case 'teach': return fooling.teach(message.anew);
    case 'stop': return fooling.stop();
  }
}

self.addEventListener('message', (event) => {
  /** @type {ToFooling} */
  const message = event.data;
  if (message.type === 'open') opened = open(message.data);
  else void obey(message);
});
// After any of these the page ends this worker, and begins with another.
const failed = (/** @type {unknown} */ error) => post({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
self.addEventListener('error', (event) => {
  event.preventDefault();
  failed(event.error ?? event.message);
});
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  failed(event.reason);
});
