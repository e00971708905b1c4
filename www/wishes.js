// What the discriminator wants of the grid's digits, on its way to the page: asked for while somebody looks at it, and
// seldom enough to leave the training its time. Like drawing, it changes nothing of the run.

/** @typedef {import('./protocol.js').View} View */
/** @typedef {Pick<import('./pkg/digit_forge_wasm.js').Forge, 'engine'|'wants'|'settle'|'side'>} Asked */

/** The part of the time that asking may take. */
const SHARE = 0.05;
const EVERY = 250;
const AT_LEAST_EVERY = 5000;

export class Wishes {
  #at = 0;
  /** @type {Promise<void> | null} */
  #asking = null;
  /** Of this run it can't be told. */
  #refused = false;
  /** The first answer takes as long as making what it needs. */
  #isFirst = true;

  /**
   * @param {object} parts
   * @param {number} parts.id   of the run
   * @param {Asked} parts.forge
   * @param {boolean} parts.on   somebody looks at them
   * @param {import('./hold.js').Hold['free']} [parts.free]   uses the engine once nobody else holds it
   * @param {(message: import('./protocol.js').FromWorker, transfer?: Transferable[]) => void} parts.post
   */
  constructor({ id, forge, on, free = async (use) => use(), post }) {
    this.id = id;
    this.forge = forge;
    this.on = on;
    this.free = free;
    this.post = post;
  }

  get isDue() {
    return this.on && !this.#asking && !this.#refused && performance.now() >= this.#at;
  }

  /** Those of the digits in view, as they are now. @param {View} view */
  async ask(view) {
    // What was asked before may be of an earlier step.
    await this.#asking;
    if (!this.on || this.#refused) return;
    this.#asking = this.#ask(view).finally(() => (this.#asking = null));
    await this.#asking;
  }

  /** @param {View} view */
  async #ask(view) {
    try {
      const { side, began, answers } = await this.free(() => this.#put(view));
      const [averaged, raw] = await answers;
      const cost = performance.now() - (await began);
      const rest = this.#isFirst ? EVERY : Math.min(AT_LEAST_EVERY, Math.max(EVERY, cost / SHARE));
      const share = this.#isFirst ? null : cost / (cost + rest);
      this.#isFirst = false;
      this.#at = performance.now() + rest;
      const transfer = [averaged, raw].flatMap((part) => (part ? [part.buffer] : []));
      this.post({ type: 'wants', run: this.id, side, averaged: averaged || null, raw: raw || null, share, error: '' }, transfer);
    } catch (error) {
      // A panic is no answer: the module is undefined after it.
      if (error instanceof WebAssembly.RuntimeError) throw error;
      this.#refused = true;
      const message = error instanceof Error ? error.message : String(error);
      this.post({ type: 'wants', run: this.id, side: 0, averaged: null, raw: null, share: null, error: message });
    }
  }

  /** Puts the question. `began`: when the engine was free to answer, as a GPU has steps to finish first. @param {View} view */
  #put(view) {
    const { forge } = this;
    const asked = performance.now();
    const began = forge.engine() === 'cpu' ? Promise.resolve(asked) : forge.settle().then(() => performance.now());
    // A rejection is met where the flight is awaited.
    began.catch(() => {});
    const answers = Promise.all([view !== 'raw' && forge.wants(false), view !== 'averaged' && forge.wants(true)]);
    return { side: forge.side(), began, answers };
  }
}
