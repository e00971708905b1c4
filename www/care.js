// A run under care, in the worker: the doctor is told how it is, and the run goes back where nothing is a number any more.

/** @typedef {import('./pkg/digit_forge_wasm.js').Forge} Forge */
/** @typedef {import('./protocol.js').Diagnosis} Diagnosis */
/** @typedef {import('./protocol.js').Samples} Samples */
/** @typedef {import('./protocol.js').Symptoms} Symptoms */

/** Of a row of metrics: the step, then what must be numbers. */
const ROW = 5;

export class Care {
  #taken = false;
  /** The first step whose losses were no numbers. @type {number | null} */
  #broke = null;
  /** Nothing could be done about it. */
  #lost = false;

  /** @param {Forge} forge @param {import('./hold.js').Hold} hold   the engine's doctor holds it while it waits */
  constructor(forge, hold) {
    this.forge = forge;
    this.hold = hold;
  }

  /** Takes the run as it is for well, once. */
  async begin() {
    if (this.#taken) return;
    this.#taken = true;
    await this.hold.during(() => this.forge.takeCare());
  }

  /** @param {Float32Array} metrics   rows of five, as they come from the log */
  watch(metrics) {
    if (!this.#taken || this.#lost || this.#broke !== null) return;
    const bad = metrics.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) this.#broke = /** @type {number} */ (metrics[bad - (bad % ROW)]);
  }

  /** Whether something stopped being a number: until that is mended, no reading says anything. */
  get isBroken() {
    return this.#broke !== null;
  }

  /** Goes back from what is no number. @returns {Promise<Diagnosis>} */
  async mend() {
    const broke = /** @type {number} */ (this.#broke);
    const found = await this.#ask({ step: this.forge.step(), vitals: null, samples: null, preference: null, copies: null }, broke);
    this.#lost = found.rescue === null;
    this.#broke = null;
    return found;
  }

  /** @param {Symptoms} symptoms */
  examine(symptoms) {
    return this.#ask(symptoms);
  }

  /**
   * To before an alarm began, with its cure or without; false where that isn't remembered.
   * @param {string} rule
   * @param {string | null} cure
   */
  undo(rule, cure) {
    return this.hold.free(() => this.forge.undo(rule, cure ?? undefined));
  }

  /** @param {Symptoms} symptoms @param {number} [broke] @returns {Promise<Diagnosis>} */
  async #ask({ step, vitals, samples, preference, copies }, broke) {
    const known = /** @type {const} */ ([vitals ?? undefined, samples ? inOrder(samples) : undefined, preference ?? undefined, copies ?? undefined]);
    return JSON.parse(await this.hold.during(() => this.forge.observe(step, broke, ...known)));
  }
}

/** As the engine takes them; what nobody knows is no number. @param {Samples} samples */
const inOrder = ({ shares, agreement, certainty, diversity, within }) =>
  Float32Array.from([...shares, agreement ?? NaN, certainty ?? NaN, diversity, within ?? NaN]);
