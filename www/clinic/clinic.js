// A clinic as the page sees it: a worker that opens when something is first read, and answers, until it is closed. The meters have
// one that stays, a report one of its own, so that no reading waits for a report and nothing of a report stays.

/** @typedef {import('./protocol.js').Question} Question */
/** @typedef {import('./protocol.js').FromClinic} FromClinic */
/** @typedef {import('./protocol.js').Reading} Reading */
/** @typedef {import('./protocol.js').Distance} Distance */
/** @typedef {import('./protocol.js').Report} Report */
/** @typedef {import('./protocol.js').Neighbours} Neighbours */
/** @typedef {Pick<import('../protocol.js').Sampled, 'images' | 'labels' | 'side'>} Images */

/** Real images of either kind that generated ones are compared with. */
export const REAL = { meters: 2_000, report: 10_000 };

export class Clinic {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<void> | null} */
  #opened = null;
  #closed = false;
  #asked = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #answers = new Map();

  /**
   * @param {string} data   folder of MNIST's manifest
   * @param {number} real   images to compare with
   */
  constructor(data, real) {
    this.data = data;
    this.real = real;
  }

  /** @param {Question} question @param {Transferable[]} [transfer] @returns {Promise<any>} */
  #ask(question, transfer = []) {
    if (!this.#worker) return Promise.reject(new Error('the clinic is not open'));
    const id = ++this.#asked;
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    this.#worker.postMessage({ ...question, id }, transfer);
    return answer;
  }

  /** Fetches the judge and reads the real images, unless that has been done. @returns {Promise<void>} */
  open() {
    if (this.#closed) return Promise.reject(new Error('the clinic is closed'));
    if (!this.#worker) {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
      worker.addEventListener('message', (event) => {
        const { id, value, error } = /** @type {FromClinic} */ (event.data);
        const waiting = this.#answers.get(id);
        this.#answers.delete(id);
        if (error) waiting?.reject(new Error(error));
        else waiting?.resolve(value);
      });
      worker.addEventListener('error', (event) => this.#end(event.message));
      this.#worker = worker;
    }
    this.#opened ??= this.#ask({ type: 'open', data: this.data, real: this.real }).catch((error) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  /** For good, at once, whatever it does; what was asked of it is refused. */
  close() {
    this.#closed = true;
    this.#end('the clinic is closed');
  }

  /** A worker that broke is replaced the next time. @param {string} why */
  #end(why) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#opened = null;
    for (const { reject } of this.#answers.values()) reject(new Error(why));
    this.#answers.clear();
  }

  /**
   * Of images by themselves.
   * @param {Images} images
   * @param {boolean} asked   whether the labels were asked for
   * @param {number} few   how many of the first training images a run trains on, where they may be copied; else 0
   * @returns {Promise<{reading: Reading, distance: Distance, copies: number | null}>}
   */
  async read({ images, labels, side }, asked, few) {
    await this.open();
    return this.#ask({ type: 'read', images, labels: asked ? labels : null, side, few }, [images.buffer]);
  }

  /** Adds to what a report tells of. @param {Images} images @param {boolean} asked @returns {Promise<Reading>} */
  async gather({ images, labels, side }, asked) {
    await this.open();
    return this.#ask({ type: 'gather', images, labels: asked ? labels : null, side }, [images.buffer]);
  }

  /** @returns {Promise<{report: Report | null, distance: Distance}>} */
  report() {
    return this.#ask({ type: 'report' });
  }

  /** @returns {Promise<{images: Neighbours, floor: Neighbours}>} */
  neighbours() {
    return this.#ask({ type: 'neighbours' });
  }
}
