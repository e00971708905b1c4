// Play, pause, step, restart: a small state machine between the page's wishes
// and the worker. It alone posts to the worker and alone changes the run's part
// of the state. `wanted` is what a person asked for; whether it trains also
// depends on whether anybody can see it.
//
// Events: change · described · progress (detail: metrics) · wants · started · engine
//         · paused · kept · diagnosis · dataFailed · failed · gpuFailed

import { FileError } from './checkpoints.js';
import { shownView } from './state.js';

/** @typedef {import('./protocol.js').ToWorker} ToWorker */
/** @typedef {import('./protocol.js').FromWorker} FromWorker */
/** @typedef {import('./protocol.js').Resolved} Resolved */
/** @typedef {import('./protocol.js').OwnData} OwnData */

/**
 * What the player asks of the page.
 * @typedef {object} Stage
 * @property {() => Worker} spawn
 * @property {() => {canvas: OffscreenCanvas, raw: OffscreenCanvas, scale: number}} canvases   new ones for each run
 * @property {() => import('./protocol.js').Look} look
 * @property {string} data   address of the data set's folder
 * @property {() => boolean} isDear   whether a run is worth keeping when another takes its place
 */

/** To those who still waited for an answer. */
export class WorkerEnded extends Error {}

export class Player extends EventTarget {
  /** @type {Worker | null} */
  #worker = null;
  #asked = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void, told?: (done: number) => void}>} */
  #answers = new Map();
  /** The wish for an engine with which a GPU failed, so that the CPU engine stands in for it. @type {import('./protocol.js').EngineChoice | null} */
  #gpuFailedFor = null;
  /** A run that several workers shared has failed: the next ones are left to one. */
  #sharingFailed = false;
  /** What the newest run goes on from, until it does. @type {Uint8Array | null} */
  #checkpoint = null;
  /** Kept for a worker that takes another's place. @type {OwnData | null} */
  #own = null;
  /** What the newest run is trained on. @type {OwnData | null} */
  #trainedOn = null;

  /**
   * @param {import('./state.js').State} state
   * @param {Stage} stage
   */
  constructor(state, stage) {
    super();
    this.state = state;
    this.stage = stage;
  }

  open() {
    const { state } = this;
    this.#close();
    this.#worker = this.stage.spawn();
    this.#worker.onmessage = (event) => this.#hear(event.data);
    this.#worker.onerror = (event) => this.#fail(state.description ? 'crash' : 'load', event.message ?? 'the worker could not start');
    state.phase = 'loading';
    this.#post({ type: 'open', data: this.stage.data });
    if (this.#own) this.#post({ type: 'data', own: this.#own });
    this.#changed();
  }

  /** @param {string} text @returns {Promise<Resolved>} */
  async resolve(text) {
    const { state } = this;
    const { phase } = state;
    if (!this.#worker) this.open();
    const { resolved } = await this.#ask((id) => ({ type: 'resolve', id, text }));
    // Nothing may come of it: then the failure is still what there is.
    if (phase === 'failed') Object.assign(state, { phase, loading: null });
    this.#changed();
    return resolved;
  }

  /** What valid settings build; null where there is no engine to ask. @param {string} text @returns {Promise<import('./protocol.js').Network[] | null>} */
  async networks(text) {
    return this.#worker && (await this.#ask((id) => ({ type: 'networks', id, text }))).networks;
  }

  /** @returns {Promise<Uint8Array>} */
  async images() {
    return (await this.#ask((id) => ({ type: 'images', id }))).images;
  }

  /**
   * Images of the run as it is, for whoever reads them.
   * @param {number} count
   * @param {boolean} vitals   whether to look at the networks, too
   * @returns {Promise<import('./protocol.js').Sampled>}
   */
  async sample(count, vitals) {
    return (await this.#ask((id) => ({ type: 'sample', id, count, vitals }))).sampled;
  }

  /**
   * Many images of one step, for a report; the training rests while they are drawn.
   * @param {number} count
   * @param {{told: (done: number) => void, signal: AbortSignal}} how   told how many there are; a signal that none are wanted any more
   * @returns {Promise<import('./protocol.js').Sampled>}
   */
  async gather(count, how) {
    return (await this.#ask((id) => ({ type: 'gather', id, count }), how)).sampled;
  }

  /** Tells the run's doctor what was read of it. @param {number} run @param {import('./protocol.js').Symptoms} symptoms */
  read(run, symptoms) {
    this.#post({ type: 'reading', run, symptoms });
  }

  /** A checkpoint of the run, and its step. @returns {Promise<{step: number, file: Uint8Array<ArrayBuffer>}>} */
  save() {
    return this.#ask((id) => ({ type: 'save', id }));
  }

  /**
   * The settings of a checkpoint that start() can go on from, or a FileError. The run is none the wiser.
   * @param {Uint8Array} file
   * @returns {Promise<Resolved>}
   */
  async check(file) {
    const { state } = this;
    const { phase } = state;
    if (!this.#worker) this.open();
    const { resolved, fault, error } = await this.#ask((id) => ({ type: 'check', id, file }));
    if (resolved) return resolved;
    if (phase === 'failed') Object.assign(state, { phase, loading: null });
    this.#changed();
    throw new FileError(fault, error);
  }

  /**
   * An image like MNIST's, of grey pixels. The run is none the wiser; a blank picture is refused.
   * @param {import('./own/pictures.js').Grey} picture
   * @returns {Promise<Uint8Array>}
   */
  async prepare({ grey, width, height }) {
    const { state } = this;
    const { phase } = state;
    if (!this.#worker) this.open();
    const { image } = await this.#ask((id) => ({ type: 'prepare', id, grey, width, height })).finally(() => {
      if (phase === 'failed') Object.assign(state, { phase, loading: null });
      this.#changed();
    });
    return image;
  }

  /** What the next run is trained on; null is MNIST. @param {OwnData | null} own */
  useData(own) {
    this.#own = own;
    this.state.data = own && { name: own.name, found: own.found, count: own.count };
    this.#post({ type: 'data', own });
    this.#changed();
  }

  /**
   * Starts a new run of these settings, from the beginning or from a checkpoint.
   * @param {Resolved} resolved
   * @param {Uint8Array | null} checkpoint
   */
  start(resolved, checkpoint = null) {
    const { state } = this;
    const hasRun = state.phase === 'playing' || state.phase === 'paused';
    // Where the data are others it could not go on as it was.
    const keep = hasRun && checkpoint === null && this.#trainedOn === this.#own && this.stage.isDear();
    this.#checkpoint = checkpoint;
    this.#trainedOn = this.#own;
    Object.assign(state, { resolved, phase: 'loading', run: state.run + 1, step: 0, images: 0, rate: 0, elapsed: 0 });
    const { canvas, raw, scale } = this.stage.canvases();
    this.#post({
      type: 'start',
      run: state.run,
      text: resolved.text,
      checkpoint,
      keep,
      engine: this.#gpuFailed ? 'cpu' : state.options.engine,
      threads: this.#sharingFailed ? 1 : state.options.threads,
      canvas,
      raw,
      scale,
      look: this.stage.look(),
      view: shownView(state),
      doctor: state.options.doctor,
      wishes: state.wishes,
      play: this.#shouldPlay(),
    }, [canvas, raw]);
    this.dispatchEvent(new Event('started'));
    this.#changed();
  }

  /** Takes over settings that need no new run. @param {Resolved} resolved */
  tune(resolved) {
    this.state.resolved = resolved;
    this.#post({ type: 'tune', run: this.state.run, text: resolved.text });
    this.#changed();
  }

  /**
   * Goes back to before an alarm began.
   * @param {string} rule
   * @param {string | null} cure   a live one of its cures, to go on with
   * @param {string} text   the settings with it
   */
  undo(rule, cure, text) {
    this.#post({ type: 'undo', run: this.state.run, rule, cure, text });
  }

  /** The same settings and seed from the beginning; a dead worker is replaced. */
  restart() {
    this.#startAgain(null);
  }

  /** From its checkpoint, if the GPU failed before it went on from there. */
  restartOnCpu() {
    this.#gpuFailedFor = this.state.options.engine;
    this.#startAgain(this.#checkpoint);
  }

  /** @param {Uint8Array | null} checkpoint */
  #startAgain(checkpoint) {
    const { state } = this;
    if (!state.resolved) return;
    if (state.phase === 'failed' || !this.#worker) this.open();
    this.start(state.resolved, checkpoint);
  }

  play() {
    this.state.wanted = true;
    this.#sync();
  }

  pause() {
    this.state.wanted = false;
    this.#sync();
  }

  toggle() {
    if (this.state.wanted) this.pause();
    else this.play();
  }

  /** One step, then rest. */
  step() {
    const { state } = this;
    state.wanted = false;
    if (state.phase === 'playing' || state.phase === 'paused') this.#post({ type: 'step', run: state.run });
    this.#changed();
  }

  /**
   * @param {boolean} away
   * @param {boolean} offScreen   scrolled away, which the wish to go on doesn't cover
   */
  setAway(away, offScreen) {
    if (this.state.away === away && this.state.offScreen === offScreen) return;
    Object.assign(this.state, { away, offScreen });
    this.#sync();
  }

  /** @param {boolean} keepGoing */
  setKeepGoing(keepGoing) {
    this.state.keepGoing = keepGoing;
    this.#sync();
  }

  look() {
    this.#post({ type: 'look', look: this.stage.look() });
  }

  /** @param {import('./protocol.js').View} view */
  show(view) {
    this.state.view = view;
    this.#post({ type: 'view', view: shownView(this.state) });
    this.#changed();
  }

  /** Whether what the discriminator wants is shown over the grid. @param {boolean} on */
  wish(on) {
    this.state.wishes = on;
    this.#post({ type: 'wishes', on });
    this.#changed();
  }

  retryData() {
    this.#post({ type: 'retry' });
  }

  #shouldPlay() {
    const { wanted, away, offScreen, keepGoing } = this.state;
    return wanted && (!away || (keepGoing && !offScreen));
  }

  #sync() {
    const { state } = this;
    if (state.run > 0 && state.phase !== 'failed') this.#post({ type: this.#shouldPlay() ? 'play' : 'pause', run: state.run });
    this.#changed();
  }

  /** @param {FromWorker} message */
  #hear(message) {
    const { state } = this;
    if ('run' in message && message.run !== 0 && message.run !== state.run) return;
    switch (message.type) {
      case 'described':
        state.description = message.description;
        this.dispatchEvent(new Event('described'));
        break;
      case 'resolved':
      case 'checked':
        return this.#answer(message.id, message, '');
      case 'networks':
      case 'images':
      case 'prepared':
      case 'saved':
      case 'samples':
        return this.#answer(message.id, message, message.error);
      case 'gathered':
        return this.#answers.get(message.id)?.told?.(message.done);
      case 'loading':
        state.loading = message.stage === 'more' && message.loaded >= message.total ? null : message;
        break;
      case 'dataFailed':
      case 'kept':
        this.#tell(message.type, message);
        return;
      case 'started': {
        const { engine, adapter, threads, rows, columns } = message;
        Object.assign(state, { engine, adapter, threads, rows, columns, reason: this.#gpuFailed ? 'gpu-failed' : message.reason });
        this.dispatchEvent(new Event('engine'));
        break;
      }
      case 'playing':
        this.#checkpoint = null;
        Object.assign(state, { phase: 'playing', loading: null });
        break;
      case 'paused':
        this.#checkpoint = null;
        Object.assign(state, { phase: 'paused', loading: null });
        this.#changed();
        this.dispatchEvent(new Event('paused'));
        return;
      case 'progress': {
        const { step, images, rate, elapsed } = message;
        Object.assign(state, { step, images, rate, elapsed });
        this.#tell('progress', message.metrics);
        break;
      }
      case 'diagnosis':
        if (message.back !== null) state.step = message.back;
        // Going on unchanged would break it again.
        if (message.told.some(({ rule }) => rule === 'not-finite') && !message.rescue?.changed) this.pause();
        this.#tell('diagnosis', message);
        break;
      case 'wants':
        this.#tell('wants', message);
        return;
      case 'failed':
        if (message.fault === 'gpu' && !this.#gpuFailed) {
          this.#tell('gpuFailed', message.message);
          this.restartOnCpu();
        } else this.#fail(message.fault, message.message);
        return;
    }
    this.#changed();
  }

  /** @param {'load'|'settings'|'gpu'|'crash'} fault @param {string} message */
  #fail(fault, message) {
    this.#sharingFailed ||= fault === 'crash' && this.state.threads > 1;
    this.#close();
    Object.assign(this.state, { phase: 'failed', loading: null });
    this.#changed();
    this.#tell('failed', { fault, message });
  }

  get #gpuFailed() {
    return this.#gpuFailedFor === this.state.options.engine;
  }

  #close() {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#answers.values()) reject(new WorkerEnded('the worker ended'));
    this.#answers.clear();
  }

  /** @param {number} id @param {FromWorker} message @param {string} error */
  #answer(id, message, error) {
    const question = this.#answers.get(id);
    this.#answers.delete(id);
    if (error) question?.reject(new Error(error));
    else question?.resolve(message);
  }

  /**
   * @param {(id: number) => ToWorker} question
   * @param {{told?: (done: number) => void, signal?: AbortSignal}} how   of one that takes long and can be cancelled
   * @returns {Promise<any>}
   */
  #ask(question, { told, signal } = {}) {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      if (!this.#worker) return reject(new Error('the worker ended'));
      this.#answers.set(id, { resolve, reject, told });
      signal?.addEventListener('abort', () => {
        if (!this.#answers.delete(id)) return;
        this.#post({ type: 'cancel', id });
        reject(signal.reason);
      });
      this.#post(question(id));
    });
  }

  /** @param {ToWorker} message @param {Transferable[]} transfer */
  #post(message, transfer = []) {
    this.#worker?.postMessage(message, transfer);
  }

  /** @param {string} type @param {any} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
