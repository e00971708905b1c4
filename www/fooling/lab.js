// "Fooling the judge", between its worker and its view: what has been told so far, for each judge, and what is asked next. The
// worker starts when the section is first opened, and stays, for a judge may be learning or in use.

import { MOST } from './attack.js';

/** @typedef {import('./worker.js').ToFooling} ToFooling */
/** @typedef {import('./worker.js').FromFooling} FromFooling */
/** @typedef {import('./worker.js').Who} Who */

/**
 * @typedef {object} Lab
 * @property {'loading'|'ready'|'failed'} phase
 * @property {string} message   of a failure
 * @property {number} strength
 * @property {Who} who   whose readings are shown
 * @property {Uint8Array} labels   of the digits shown
 * @property {Uint8Array | null} images   as they are attacked
 * @property {Uint8Array | null} before   what is read in them as they are
 * @property {Uint8Array | null} after   what is read in them attacked
 * @property {Partial<Record<Who, {count: number, right: number[], done: number}>>} curves
 * @property {{seed: number, step: number, steps: number, rate: number, goesOn: boolean, looks: [number, number][]} | null} lesson
 */

/** @returns {Lab} */
export const emptyLab = () => ({ phase: 'loading', message: '', strength: 0, who: 'pinned', labels: new Uint8Array(), images: null, before: null, after: null, curves: {}, lesson: null });

/** What a message changes. @param {Lab} lab @param {FromFooling} message */
export function hear(lab, message) {
  switch (message.type) {
    case 'opened':
      Object.assign(lab, { phase: 'ready', labels: message.labels });
      break;
    case 'fooled':
      if (message.strength === 0) lab.before = message.digits;
      Object.assign(lab, { images: message.images, after: message.digits });
      break;
    case 'curve': {
      const { who, count, right, done } = message;
      lab.curves[who] = { count, right, done };
      break;
    }
    case 'using':
      if (message.who === 'taught') delete lab.curves.taught;
      Object.assign(lab, { who: message.who, before: null });
      break;
    case 'lesson': {
      const { seed, step, steps, accuracy, rate, goesOn } = message;
      const looks = lab.lesson?.seed === seed ? lab.lesson.looks : [];
      if (accuracy !== null) looks.push([step, accuracy]);
      lab.lesson = { seed, step, steps, rate, goesOn, looks };
      break;
    }
    case 'failed':
      Object.assign(lab, { phase: 'failed', message: message.message });
  }
}

export class FoolingLab extends EventTarget {
  /** @type {Worker | null} */
  #worker = null;
  lab = emptyLab();

  /**
   * @param {() => Worker} spawn
   * @param {string} data   address of the folder of MNIST
   */
  constructor(spawn, data) {
    super();
    this.spawn = spawn;
    this.data = data;
  }

  open() {
    this.#worker?.terminate();
    this.lab = emptyLab();
    const worker = this.spawn();
    worker.onmessage = (event) => this.#hear(event.data);
    worker.onerror = (event) => this.#hear({ type: 'failed', message: event.message ?? 'the worker could not start' });
    this.#worker = worker;
    this.#post({ type: 'open', data: this.data });
    this.#changed();
  }

  /** @param {number} strength */
  attack(strength) {
    if (!(strength >= 0 && strength <= MOST)) throw new RangeError(`a strength of ${strength}: it goes from 0 to ${MOST}`);
    this.lab.strength = strength;
    // The readings of the unchanged digits come first, once for each judge.
    if (!this.lab.before && strength !== 0) this.#post({ type: 'strength', strength: 0 });
    this.#post({ type: 'strength', strength });
    this.#changed();
  }

  /** @param {Who} who */
  use(who) {
    this.#post({ type: 'use', who });
  }

  /** Goes on, or begins another. */
  teach() {
    const { lesson } = this.lab;
    this.#post({ type: 'teach', anew: lesson !== null && lesson.step >= lesson.steps });
  }

  stop() {
    this.#post({ type: 'stop' });
  }

  /** @param {FromFooling} message */
  #hear(message) {
    hear(this.lab, message);
    if (message.type === 'failed') {
      this.#worker?.terminate();
      this.#worker = null;
    }
    this.#changed();
    // Whatever judge comes in, both its readings are wanted.
    if (message.type === 'using' && this.lab.strength !== 0) {
      this.#post({ type: 'strength', strength: 0 });
      this.#post({ type: 'strength', strength: this.lab.strength });
    }
  }

  /** @param {ToFooling} message */
  #post(message) {
    this.#worker?.postMessage(message);
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
