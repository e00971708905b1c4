// Whether a run knows its training images by heart: some of them, and as many that it never sees, for the discriminator to be
// asked which it prefers. The page has unseen images of MNIST alone: of other data nothing is said.

import { DataError } from './data.js';
import { digitsOf, firstOf, spread } from './digits.js';

/** @typedef {import('./digits.js').Digits} Digits */
/** @typedef {import('./data.js').Supply} Supply */
/** @typedef {import('./pkg/digit_forge_wasm.js').Forge} Forge */

/** Images of either kind. */
const SHOWN = 512;

export class Memory {
  /** @type {Promise<void> | null} */
  #coming = null;
  /** @type {{known: Digits, unseen: Digits} | null} */
  #shown = null;

  /**
   * @param {Pick<Forge, 'images_available' | 'images_wanted'>} forge
   * @param {Pick<Supply, 'chunk' | 'unseen'>} supply
   */
  constructor(forge, supply) {
    this.forge = forge;
    this.supply = supply;
  }

  /** What to show to D; null where there is nothing unseen, or not yet: a run's own images come first. */
  get shown() {
    if (this.forge.images_available() >= this.forge.images_wanted()) this.#coming ??= this.#fetch();
    return this.#shown;
  }

  async #fetch() {
    try {
      const [trained, others] = await Promise.all([this.supply.chunk(0), this.supply.unseen()]);
      if (!others) return;
      const known = firstOf(digitsOf(trained), this.forge.images_wanted());
      this.#shown = { known: spread(known, SHOWN), unseen: spread(digitsOf(others), SHOWN) };
    } catch (error) {
      // Without them nobody can tell: that is no fault of the run.
      if (!(error instanceof DataError)) throw error;
    }
  }
}
