// Who has the engine. Some calls hold it while they wait, for a device or for other workers: to call it meanwhile is an error, or
// would meet it in the middle of a step. So whoever else wants it does all that needs it, what it is asked for its answers too,
// in free().

export class Hold {
  /** @type {Promise<unknown> | null} */
  #busy = null;

  /** Uses the engine as soon as nobody holds it, before anybody else can. @template T @param {() => T | Promise<T>} use @returns {Promise<T>} */
  async free(use) {
    while (this.#busy) await this.#busy.catch(() => {});
    return use();
  }

  /** Holds it until the task is done. @template T @param {() => Promise<T>} task @returns {Promise<T>} */
  during(task) {
    return this.free(() => {
      const mine = task().finally(() => (this.#busy = null));
      this.#busy = mine;
      return mine;
    });
  }
}
