// The clinic as the page sees it: a worker that opens when something is first read, and answers.

/** @typedef {import('./protocol.js').Question} Question */
/** @typedef {import('./protocol.js').FromClinic} FromClinic */
/** @typedef {import('./protocol.js').Reading} Reading */
/** @typedef {import('./protocol.js').Distance} Distance */
/** @typedef {import('./protocol.js').Report} Report */
/** @typedef {import('./protocol.js').Neighbours} Neighbours */
/** @typedef {Pick<import('../protocol.js').Sampled, 'images' | 'labels' | 'side'>} Images */

export class Clinic {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<void> | null} */
  #opened = null;
  #asked = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #answers = new Map();

  /** @param {string} data   folder of MNIST's manifest */
  constructor(data) {
    this.data = data;
  }

  /** @param {Question} question @param {Transferable[]} [transfer] @returns {Promise<any>} */
  #ask(question, transfer = []) {
    const id = ++this.#asked;
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    this.#worker?.postMessage({ ...question, id }, transfer);
    return answer;
  }

  #open() {
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
    this.#opened ??= this.#ask({ type: 'open', data: this.data }).catch((error) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  /** A worker that broke is replaced the next time. @param {string} why */
  #end(why) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#opened = null;
    for (const { reject } of this.#answers.values()) reject(new Error(why));
    this.#answers.clear();
  }

  /** Of images by themselves. @param {Images} images @param {boolean} asked whether the labels were asked for @returns {Promise<{reading: Reading, distance: Distance}>} */
  async read({ images, labels, side }, asked) {
    await this.#open();
    return this.#ask({ type: 'read', images, labels: asked ? labels : null, side }, [images.buffer]);
  }

  /** Adds to what a report tells of. @param {Images} images @param {boolean} asked @param {boolean} first @returns {Promise<Reading>} */
  async gather({ images, labels, side }, asked, first) {
    await this.#open();
    return this.#ask({ type: 'gather', images, labels: asked ? labels : null, side, first });
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
