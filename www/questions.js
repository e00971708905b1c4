// What is asked of a run while it goes on: its digits, how it is, a checkpoint. No answer changes the run. The engine's doctor
// holds the engine while it waits for a device, so each question waits until it is free.

import { Memory } from './memory.js';

/** @typedef {import('./pkg/digit_forge_wasm.js').Forge} Forge */
/** @typedef {import('./protocol.js').Sampled} Sampled */

export class Questions {
  /**
   * @param {object} parts
   * @param {number} parts.id   of the run
   * @param {Forge} parts.forge
   * @param {ConstructorParameters<typeof Memory>[1]} parts.supply
   * @param {() => Promise<void>} parts.free   until nobody holds the engine
   */
  constructor({ id, forge, supply, free }) {
    this.id = id;
    this.forge = forge;
    this.memory = new Memory(forge, supply);
    this.free = free;
  }

  /** The grid's. @returns {Promise<Uint8Array>} */
  async images() {
    await this.free();
    return this.forge.images();
  }

  /** A checkpoint of this moment. */
  async save() {
    await this.free();
    const step = this.forge.step();
    return { step, file: await this.forge.save() };
  }

  /**
   * Images of this moment and, if it is wanted, how the run is.
   * @param {number} count
   * @param {boolean} wantsVitals
   * @returns {Promise<Sampled>}
   */
  async sample(count, wantsVitals) {
    await this.free();
    const { id, forge } = this;
    const began = performance.now();
    const step = forge.step();
    const shown = wantsVitals ? this.memory.shown : null;
    // All is asked for before any is waited for, so that it is of one step.
    const asked = [
      forge.samples(0, count),
      wantsVitals ? forge.vitals() : [null, NaN],
      shown && forge.preference(shown.known.images, shown.known.labels, shown.unseen.images, shown.unseen.labels),
    ];
    const [[images, labels], [vitals, accuracy], preference] = await Promise.all(asked);
    const ms = performance.now() - began;
    return { run: id, step, side: forge.side(), images, labels, vitals, accuracy, preference, ms };
  }
}
