// Whether a run knows its training images by heart: some of them, and as many that it never sees, for the discriminator to be
// asked which it prefers. Where all images of somebody's own are trained on, there are no others, and nothing is said.

import { DataError } from './data.js';
import { digitsOf, firstOf, restOf, spread } from './digits.js';

/** @typedef {import('./digits.js').Digits} Digits */
/** @typedef {import('./data.js').Supply} Supply */
/** @typedef {import('./pkg/digit_forge_wasm.js').Forge} Forge */

/** Images of either kind. */
const SHOWN = 512;
/** A run with so many training images or fewer may soon know them, and copy them. */
export const FEW = 1000;
/** Milliseconds between two questions to D, at least, where there are more: it takes long to know so many. */
const EVERY = 5000;

export class Memory {
  /** @type {Promise<void> | null} */
  #coming = null;
  /** @type {{known: Digits, unseen: Digits} | null} */
  #shown = null;
  #due = 0;

  /**
   * @param {Pick<Forge, 'images_available' | 'images_wanted'>} forge
   * @param {Pick<Supply, 'chunk' | 'unseen'>} supply
   */
  constructor(forge, supply) {
    this.forge = forge;
    this.supply = supply;
  }

  /**
   * What to show to D; null where it isn't due, where there is nothing unseen, or not yet: a run's own images come first.
   * @param {number} [now]   ms
   */
  shown(now = performance.now()) {
    const wanted = this.forge.images_wanted();
    if (this.forge.images_available() >= wanted) this.#coming ??= this.#fetch(wanted);
    if (!this.#shown || now < this.#due) return null;
    this.#due = wanted > FEW ? now + EVERY : now;
    return this.#shown;
  }

  /** @param {number} trained   images */
  async #fetch(trained) {
    try {
      const first = digitsOf(await this.supply.chunk(0));
      const unseen = await this.#unseen(restOf(first, trained));
      if (unseen) this.#shown = { known: spread(firstOf(first, trained), SHOWN), unseen: spread(unseen, SHOWN) };
    } catch (error) {
      // Without them nobody can tell: that is no fault of the run.
      if (!(error instanceof DataError)) throw error;
    }
  }

  /** What a run leaves out of the training images is more like them than the test images are. @param {Digits} rest */
  async #unseen(rest) {
    if (rest.labels.length >= SHOWN) return rest;
    const others = await this.supply.unseen();
    return others && digitsOf(others);
  }
}
