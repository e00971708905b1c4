// A run's grids on their canvases: often enough to be watched, and seldom enough to leave the training its time. A GPU draws from
// its own memory, and nobody waits for it; of the CPU engine the images are painted here.

/** @typedef {import('./pkg/digit_forge_wasm.js').Forge} Forge */
/** @typedef {import('./paint.js').Painter} Painter */
/** @typedef {import('./protocol.js').Look} Look */
/** @typedef {import('./protocol.js').View} View */

const EVERY = 70;
const AT_LEAST_EVERY = 1000;
/** The part of the time that drawing may take. */
const SHARE = 0.12;

export class Drawing {
  #cost = 0;
  #at = 0;
  #hasRaw = false;

  /**
   * @param {object} parts
   * @param {Forge} parts.forge
   * @param {{averaged: Painter, raw: Painter} | null} parts.painters   for the CPU engine
   * @param {OffscreenCanvas} parts.raw   where a GPU draws the raw generator's grid
   * @param {Look} parts.look
   * @param {View} parts.view
   * @param {(took: (ms: number) => void) => void} parts.track   tells what the newest work on a GPU took of its time
   */
  constructor({ forge, painters, raw, look, view, track }) {
    this.forge = forge;
    this.painters = painters;
    this.raw = raw;
    this.look = look;
    this.view = view;
    this.track = track;
  }

  get isDue() {
    return performance.now() >= this.#at;
  }

  /** Whatever it costs, the next time that somebody asks. */
  hurry() {
    this.#at = 0;
  }

  async draw() {
    const began = performance.now();
    if (this.painters) {
      await this.#paint(this.painters);
      this.#cost = performance.now() - began;
    } else {
      this.#present();
      // Each measure is an upper bound; the lowest of late says most.
      this.track((ms) => (this.#cost = Math.min(ms, this.#cost * 1.5 + 1)));
    }
    const rest = Math.min(AT_LEAST_EVERY, Math.max(EVERY, this.#cost / SHARE));
    this.#at = performance.now() + rest;
  }

  /** @param {{averaged: Painter, raw: Painter}} painters */
  async #paint({ averaged, raw }) {
    const { forge, view } = this;
    const paint = (/** @type {Painter} */ painter, /** @type {Uint8Array} */ images) =>
      painter.paint(images, forge.side(), forge.rows(), forge.columns(), this.look);
    if (view !== 'raw') paint(averaged, await forge.images());
    if (view !== 'averaged') paint(raw, await forge.raw_images());
  }

  #present() {
    const { forge, view } = this;
    const { paper, ink } = this.look;
    if (view !== 'raw') forge.draw(paper, ink);
    if (view === 'averaged') return;
    // Once it is wanted: until then it costs nothing.
    if (!this.#hasRaw) forge.add_raw_canvas(this.raw);
    this.#hasRaw = true;
    forge.draw_raw(paper, ink);
  }
}
