// Who has the engine. Some calls hold it while they wait, for a device or for other workers: to call it meanwhile is an error, or
// would meet it in the middle of a step. So whoever else wants it does all that needs it, what it is asked for its answers too,
// in free().

export class Hold {
  /** @type {Promise<unknown> | null} */
  #busy = null;
  /** Why nobody may have it any more. @type {{error: unknown} | null} */
  #closed = null;

  /** Uses the engine as soon as nobody holds it, before anybody else can. @template T @param {() => T | Promise<T>} use @returns {Promise<T>} */
  async free(use) {
    while (this.#busy) await this.#busy.catch(() => {});
    if (this.#closed) throw this.#closed.error;
    return use();
  }

  /** From here on everybody is refused. @param {unknown} error */
  close(error) {
    this.#closed ??= { error };
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
