// How good the digits are, live: asks the run for samples, the clinic for what it reads, and tells who wants to know. It asks about
// once a second, and less often where what it asks for would take more than its share of the training's time.

import { FEW } from './memory.js';

/** @typedef {import('./clinic/protocol.js').Reading} Reading */
/** @typedef {import('./clinic/protocol.js').Distance} Distance */
/** @typedef {import('./protocol.js').Sampled} Sampled */

/** Images that are read each time. */
export const COUNT = 400;
/** Milliseconds between two readings, at least: while somebody looks, while only the doctor does, and in a run's first steps, in which most of
 * what breaks does so. */
const EVERY = { looked: 1000, unseen: 2500, young: 200 };
/** Steps that a run is young for. */
const YOUNG = 2000;
/** Readings that may wait for the judge: it has to be fetched first, and the young run goes on meanwhile. */
const WAITING = 12;
/** The part of the training's time that samples and vitals may take. */
export const SHARE = 0.04;
/** Milliseconds that a run trains before it is first sampled, and before the judge is fetched for somebody who doesn't look, so that the
 * first digits come as quickly as without. */
const PATIENCE = { sample: 200, fetch: 2000 };

/**
 * Milliseconds until the next reading, from what this one took of the training's time.
 * @param {number} cost
 * @param {boolean} looked
 * @param {boolean} young
 */
export const pause = (cost, looked, young) =>
  Math.max(young ? EVERY.young : looked ? EVERY.looked : EVERY.unseen, cost / SHARE);

/**
 * @typedef {object} Moment what is known after a reading
 * @property {number} step
 * @property {Reading} reading
 * @property {Distance} distance
 * @property {Float32Array | null} vitals see Sampled
 * @property {number} accuracy
 * @property {number | null} preference
 * @property {number | null} copies see Symptoms
 * @property {number} share of the training's time
 */

/**
 * @typedef {object} Surroundings
 * @property {import('./state.js').State} state
 * @property {import('./player.js').Player} player
 * @property {import('./clinic/clinic.js').Clinic} clinic
 * @property {() => boolean} looked whether somebody sees the meters
 * @property {() => boolean} cared whether the doctor wants readings
 * @property {(moment: Moment, run: number) => void} told
 * @property {(message: string) => void} failed after which nothing is asked until resume()
 */

export class Quality {
  #timer = 0;
  #busy = false;
  #stopped = false;
  /** Readings that the judge hasn't answered. */
  #waiting = 0;
  /** How often the run went back: what was sampled before says nothing of it. */
  #course = 0;
  /** When the newest reading began, and what it took. */
  #last = { at: -Infinity, cost: 0 };

  /** @param {Surroundings} around */
  constructor(around) {
    this.around = around;
  }

  /** After whatever changes what is wanted: a run that plays, a section that opens. */
  update() {
    if (this.#busy || this.#stopped || this.#waiting >= WAITING) return;
    clearTimeout(this.#timer);
    const { state, looked, cared } = this.around;
    if (state.phase !== 'playing' || !(looked() || cared())) return;
    const patience = PATIENCE.sample - state.elapsed;
    const due = this.#last.at + this.#pause(this.#last.cost) - performance.now();
    this.#timer = window.setTimeout(() => void this.#read(), Math.max(0, due, patience));
  }

  /** After a failure. */
  resume() {
    this.#stopped = false;
    this.update();
  }

  /** Another run: its first reading needn't wait. */
  start() {
    this.#last = { at: -Infinity, cost: 0 };
    this.update();
  }

  /** @param {number} cost */
  #pause(cost) {
    const { state, looked, cared } = this.around;
    return pause(cost, looked(), cared() && state.step < YOUNG);
  }

  /** The run went back to an earlier step. */
  forget() {
    this.#course++;
    this.start();
  }

  async #read() {
    this.#busy = true;
    const at = performance.now();
    try {
      const sampled = await this.around.player.sample(COUNT, true);
      this.#last = { at, cost: sampled.ms };
      void this.#judge(sampled);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
      this.update();
    }
  }

  /** @param {Sampled} sampled */
  async #judge(sampled) {
    const { state, clinic, told, looked } = this.around;
    const { run, step, vitals, accuracy, preference, ms } = sampled;
    const share = ms / this.#pause(ms);
    const course = this.#course;
    this.#waiting++;
    try {
      const patience = PATIENCE.fetch - state.elapsed;
      if (!looked() && patience > 0) await new Promise((done) => setTimeout(done, patience));
      const { reading, distance, copies } = await clinic.read(sampled, asksForDigits(state), fewImages(state));
      if (run === state.run && course === this.#course) told({ step, reading, distance, vitals, accuracy, preference, copies, share }, run);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#waiting--;
      this.update();
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    // A run that ended while it was asked is no failure of the judge.
    if (this.around.state.phase !== 'playing' || this.#stopped) return;
    this.#stopped = true;
    this.around.failed(error instanceof Error ? error.message : String(error));
  }
}

/** How many training images a run has, where they are so few of MNIST's that it may copy them; else 0. @param {Pick<import('./state.js').State, 'resolved' | 'data'>} state */
export function fewImages({ resolved, data }) {
  const images = Number(resolved?.values.images);
  return data === null && images <= FEW ? images : 0;
}

/** Whether labels are asked for. @param {Pick<import('./state.js').State, 'resolved'>} state */
export const asksForDigits = (state) => state.resolved?.values.condition !== 'none';
