// What is asked of a run while it goes on: its digits, how it is, a checkpoint. No answer changes the run. The engine's doctor
// holds the engine while it waits for a device, and so does a step that several workers share: each question is put once it is
// free, or when it is its turn.

import { Memory } from './memory.js';

/** @typedef {import('./pkg/digit_forge_wasm.js').Forge} Forge */
/** @typedef {import('./protocol.js').Sampled} Sampled */

/** Images that are drawn at a time: three grids. */
const PART = 240;

export class Questions {
  /** @type {Promise<void> | null} */
  #prepared = null;

  /**
   * @param {object} parts
   * @param {number} parts.id   of the run
   * @param {Forge} parts.forge
   * @param {ConstructorParameters<typeof Memory>[1]} parts.supply
   * @param {import('./hold.js').Hold['free']} parts.free   uses the engine once nobody holds it
   * @param {<T>(task: () => Promise<T>) => Promise<T>} parts.alone   does a task while no step is made
   * @param {() => Promise<void>} parts.breathe   shows how the run is, and lets messages in
   */
  constructor({ id, forge, supply, free, alone, breathe }) {
    this.id = id;
    this.forge = forge;
    this.memory = new Memory(forge, supply);
    this.free = free;
    this.alone = alone;
    this.breathe = breathe;
  }

  /** The grid's. @returns {Promise<Uint8Array>} */
  images() {
    return this.free(() => this.forge.images());
  }

  /** A checkpoint of this moment. */
  async save() {
    const { forge } = this;
    const { step, file } = await this.free(() => ({ step: forge.step(), file: forge.save() }));
    return { step, file: await file };
  }

  /**
   * Images of this moment and, if it is wanted, how the run is.
   * @param {number} count
   * @param {boolean} wantsVitals
   * @returns {Promise<Sampled>}
   */
  async sample(count, wantsVitals) {
    if (wantsVitals) await this.#prepare();
    const { began, step, side, answers } = await this.free(() => this.#put(count, wantsVitals));
    const [[images, labels], [vitals, accuracy], preference] = await answers;
    const ms = performance.now() - began;
    return { run: this.id, step, side, images, labels, vitals, accuracy, preference, ms };
  }

  /** All is asked for before any is waited for, so that it is of one step. @param {number} count @param {boolean} wantsVitals */
  #put(count, wantsVitals) {
    const { forge } = this;
    const began = performance.now();
    const shown = wantsVitals ? this.memory.shown() : null;
    const answers = Promise.all([
      forge.samples(0, count),
      wantsVitals ? forge.vitals() : [null, NaN],
      shown && forge.preference(shown.known.images, shown.known.labels, shown.unseen.images, shown.unseen.labels),
    ]);
    return { began, step: forge.step(), side: forge.side(), answers };
  }

  /** What vitals need is compiled while the run goes on, which would have to wait for it otherwise. */
  #prepare() {
    return (this.#prepared ??= this.free(() => this.forge.prepareVitals()).catch((/** @type {unknown} */ error) => {
      this.#prepared = null;
      throw error;
    }));
  }

  /**
   * Many images of one step, drawn in parts. The training rests until the last is there: what draws them, the generator's averaged
   * weights, is in the engine once, and a step would move it. A second copy would be programs and memory that every run pays for.
   * Between two parts messages are heard and the canvas is drawn, so the page never waits.
   * @param {number} count
   * @param {(done: number) => boolean} goesOn   is told how many there are; whether more are wanted
   * @returns {Promise<Sampled | null>}   null where they aren't
   */
  gather(count, goesOn) {
    return this.alone(async () => {
      const { id, forge } = this;
      const began = performance.now();
      const step = forge.step();
      const side = forge.side();
      const images = new Uint8Array(count * side * side);
      const labels = new Uint8Array(count);
      for (let first = 0; first < count; first += PART) {
        if (!goesOn(first)) return null;
        const [some, digits] = await forge.samples(first, Math.min(PART, count - first));
        images.set(some, first * side * side);
        labels.set(digits, first);
        await this.breathe();
      }
      const ms = performance.now() - began;
      return { run: id, step, side, images, labels, vitals: null, accuracy: NaN, preference: null, ms };
    });
  }
}
