// One run of training in the worker: steps in slices, the grid drawn and the
// metrics sent as it goes. Never awaits the GPU per step: two submits are kept
// in flight and timed by their completion.

import { Care } from './care.js';
import { Drawing } from './drawing.js';
import { Hold } from './hold.js';
import { cpuPace, gpuPace } from './pace.js';
import { Questions } from './questions.js';
import { Wishes } from './wishes.js';

/** @typedef {import('./pkg/digit_forge_wasm.js').Forge} Forge */
/** @typedef {import('./protocol.js').FromWorker} FromWorker */
/** @typedef {import('./protocol.js').Look} Look */
/** @typedef {import('./protocol.js').View} View */
/** @typedef {import('./protocol.js').Diagnosis} Diagnosis */
/** @typedef {import('./protocol.js').Symptoms} Symptoms */
/** @typedef {import('./paint.js').Painter} Painter */

const IN_FLIGHT = 2;
const REPORT_EVERY = 80;

const channel = new MessageChannel();
channel.port1.start();

/** Unlike a timer it isn't slowed down in a hidden tab. */
const letMessagesIn = () =>
  new Promise((resolve) => {
    channel.port1.addEventListener('message', resolve, { once: true });
    channel.port2.postMessage(0);
  });

export class Run {
  /** A loop's permission to go on. */
  #token = { live: true };
  /** @type {Promise<void>} */
  #tail = Promise.resolve();
  /** @type {Promise<void>[]} */
  #flights = [];
  /** @type {Promise<void> | null} */
  #reading = null;
  #ended = false;
  #failed = false;
  #stepWaits = false;
  #elapsed = 0;
  #rate = 0;
  #mark = { step: 0, elapsed: 0 };
  #settledAt = 0;
  #reportAt = 0;
  /** What is to be done between two slices. @type {(() => Promise<void>)[]} */
  #between = [];
  #looping = false;

  /**
   * @param {object} parts
   * @param {number} parts.id
   * @param {Forge} parts.forge
   * @param {import('./crew/crew.js').Crew | null} parts.crew   the workers that share its steps, if there are others
   * @param {Pick<import('./data.js').Supply, 'chunk' | 'chunksFor' | 'has' | 'repeat' | 'unseen'>} parts.supply
   * @param {{averaged: Painter, raw: Painter} | null} parts.painters   for the CPU engine
   * @param {OffscreenCanvas} parts.raw   where a GPU draws the raw generator's grid
   * @param {Look} parts.look
   * @param {View} parts.view
   * @param {boolean} parts.doctor   whether the run is under care
   * @param {boolean} parts.wishes   somebody looks at what the discriminator wants
   * @param {(message: FromWorker, transfer?: Transferable[]) => void} parts.post
   */
  constructor({ id, forge, crew, supply, painters, raw, look, view, doctor, wishes, post }) {
    this.id = id;
    this.forge = forge;
    this.crew = crew;
    this.supply = supply;
    this.post = post;
    this.hold = new Hold();
    this.care = doctor ? new Care(forge, this.hold) : null;
    const free = this.hold.free.bind(this.hold);
    this.questions = new Questions({ id, forge, supply, free, alone: (task) => this.#alone(task), breathe: () => this.#breathe() });
    this.wishes = new Wishes({ id, forge, on: wishes, free, post: (message, transfer) => this.post(message, transfer) });
    this.onGpu = forge.engine() === 'gpu';
    this.pace = this.onGpu ? gpuPace() : cpuPace();
    // What it takes to hear of it is no cost of drawing.
    const track = (/** @type {(ms: number) => void} */ took) => this.#track((ms) => took(Math.max(0, ms - this.pace.latency)));
    this.drawing = new Drawing({ forge, painters, raw, look, view, track });
    this.#mark.step = forge.step();
  }

  /**
   * Waits for the first images and draws the grid as it starts. What has arrived
   * by then joins before the first step, the rest as it comes. A run that goes on
   * from a checkpoint waits for all: later steps depend on what is there.
   */
  async open() {
    this.supply.repeat(0);
    const chunks = await this.supply.chunksFor(this.forge.images_wanted());
    const goesOn = this.forge.step() > 0;
    let next = 0;
    do await this.#join(next++);
    while (next < chunks && (goesOn || this.supply.has(next)));
    await this.#settleAndShow();
    // A device lost over its first picture shows only where something is read back.
    if (this.onGpu) await this.forge.images();
    void this.#joinRest(next, chunks).catch((error) => this.fail(error));
  }

  play() {
    const token = this.#renew();
    this.#enqueue(async () => {
      this.post({ type: 'playing', run: this.id });
      await this.#loop(token);
    });
  }

  pause() {
    this.#renew();
    this.#enqueue(() => this.#acknowledge());
  }

  /** One step, also where others wait: of those asked for while one waits, none is kept, so a held key builds no queue. */
  step() {
    this.#renew();
    if (this.#stepWaits) return;
    this.#stepWaits = true;
    this.#enqueue(async () => {
      this.#stepWaits = false;
      if (this.#ended) return;
      await this.care?.begin();
      await this.#timed(() => this.#train(1));
      await this.#acknowledge();
      if (this.care?.isBroken) await this.#mend(this.care);
    });
  }

  /** @param {Look} look */
  restyle(look) {
    this.drawing.look = look;
    this.#enqueueBehindLoop(() => this.drawing.draw());
  }

  /** @param {View} view */
  show(view) {
    this.drawing.view = view;
    this.#enqueueBehindLoop(async () => {
      await this.drawing.draw();
      await this.wishes.ask(view);
    });
  }

  /** Whether somebody looks at what the discriminator wants. @param {boolean} on */
  wish(on) {
    this.wishes.on = on;
    this.#enqueueBehindLoop(() => this.wishes.ask(this.drawing.view));
  }

  /** Settings that need no new run. @param {string} text */
  async tune(text) {
    await this.hold.free(() => this.forge.tune(text));
  }

  /** @param {Symptoms} symptoms */
  examine(symptoms) {
    this.#cared(async (care) => {
      // A reading of a course that the run has left says nothing of it.
      if (care.isBroken || symptoms.step > this.forge.step()) return;
      await care.begin();
      this.#tell(await care.examine(symptoms), null);
    });
  }

  /**
   * Goes back to before an alarm began, and on with its cure; where that isn't remembered, the settings are all that changes.
   * @param {string} rule
   * @param {string | null} cure
   * @param {string} text   the settings with the cure
   */
  undo(rule, cure, text) {
    this.#cared(async (care) => {
      const back = await care.undo(rule, cure);
      if (!back) this.forge.tune(text);
      this.#rewound();
      this.#tell({ told: [], on: [], rescue: null }, back ? this.forge.step() : null);
      await this.#settleAndShow();
    });
  }

  destroy() {
    this.#ended = true;
    this.#token.live = false;
    // What waits for others would wait for ever.
    this.crew?.end();
    this.#enqueue(async () => this.forge.destroy());
    return this.#tail;
  }

  #renew() {
    this.#token.live = false;
    return (this.#token = { live: true });
  }

  /** @param {() => Promise<void>} task */
  #enqueue(task) {
    this.#tail = this.#tail.then(task).catch((error) => this.fail(error));
  }

  /** A running loop draws soon anyway. @param {() => Promise<void>} task */
  #enqueueBehindLoop(task) {
    this.drawing.hurry();
    const token = this.#token;
    this.#enqueue(async () => {
      if (token === this.#token) await task();
    });
  }

  /** @param {unknown} error */
  fail(error) {
    this.#token.live = false;
    // What a run leaves unfinished when it ends is no failure, and what follows from one no second.
    if (this.#ended || this.#failed) return;
    this.#failed = true;
    this.post({ type: 'failed', run: this.id, fault: 'crash', message: error instanceof Error ? error.message : String(error) });
  }

  /**
   * Alone with the engine, between two slices or where it rests; refused once the run has ended.
   * @template T
   * @param {() => Promise<T>} task
   * @returns {Promise<T>}
   */
  #alone(task) {
    /** @type {Promise<T>} */
    const done = new Promise((resolve, reject) => {
      this.#between.push(() => (this.#ended ? Promise.reject(new Error('the run has ended')) : this.#quietly(task)).then(resolve, reject));
    });
    if (!this.#looping) this.#enqueue(() => this.#tend());
    return done;
  }

  /** @param {(care: Care) => Promise<void>} task */
  #cared(task) {
    const { care } = this;
    if (care) void this.#alone(() => task(care)).catch((error) => this.fail(error));
  }

  async #tend() {
    for (let task; (task = this.#between.shift());) await task();
  }

  /** Once nothing is under way on the device. @template T @param {() => Promise<T>} task @returns {Promise<T>} */
  async #quietly(task) {
    await Promise.all(this.#flights.splice(0));
    await this.#reading;
    return task();
  }

  /** @param {Care} care */
  async #mend(care) {
    await this.#quietly(async () => {
      const found = await care.mend();
      this.#rewound();
      const back = found.rescue ? this.forge.step() : null;
      // As it is, it would break again.
      if (!found.rescue?.changed) this.pause();
      this.#tell(found, back);
    });
    await this.#settleAndShow();
  }

  /** What was measured over steps that are undone is void. */
  #rewound() {
    this.#mark = { step: this.forge.step(), elapsed: this.#elapsed };
  }

  /** @param {Diagnosis} found @param {number | null} back */
  #tell(found, back) {
    this.post({ type: 'diagnosis', run: this.id, ...found, back, text: this.forge.settings() });
  }

  /** @param {{live: boolean}} token */
  async #loop(token) {
    const { care } = this;
    await care?.begin();
    this.#looping = true;
    while (token.live) {
      if (care?.isBroken) await this.#mend(care);
      if (this.#between.length > 0) await this.#tend();
      if (!token.live) break;
      const began = performance.now();
      if (this.onGpu) await this.#submit();
      else await this.#timed(() => this.#runSlice());
      await this.#breathe();
      if (this.onGpu) this.#elapsed += performance.now() - began;
    }
    this.#looping = false;
    await this.#tend();
  }

  /** Between two pieces of work: shows how it is, as often as it may, and lets messages in. */
  async #breathe() {
    if (this.drawing.isDue) await this.drawing.draw();
    if (this.wishes.isDue) await this.#ask();
    if (performance.now() >= this.#reportAt) this.#report();
    await letMessagesIn();
  }

  /** Where others share the steps, the engine is held while it waits for them. @param {number} steps */
  #train(steps) {
    const { crew, forge, hold } = this;
    if (!crew) return forge.run(steps);
    return hold.during(() => crew.run(steps).catch((error) => {
      // It is in the middle of a step.
      hold.close(error);
      throw error;
    }));
  }

  async #runSlice() {
    const { steps } = this.pace;
    const began = performance.now();
    await this.#train(steps);
    this.pace.record(steps, performance.now() - began);
  }

  async #submit() {
    const { steps } = this.pace;
    this.forge.run(steps);
    this.#track((ms) => this.pace.record(steps, ms));
    // A drawing is a flight, too.
    while (this.#flights.length >= IN_FLIGHT) await this.#flights.shift();
  }

  /** Times the newest submit from the completion of the one before. @param {(ms: number) => void} took */
  #track(took) {
    const asked = performance.now();
    const flight = this.forge.settle().then(() => {
      const now = performance.now();
      took(now - Math.max(asked, this.#settledAt));
      this.#settledAt = now;
    });
    // A rejection is met where the flight is awaited.
    flight.catch(() => {});
    this.#flights.push(flight);
  }

  /** @param {() => void | Promise<void>} work */
  async #timed(work) {
    const began = performance.now();
    await work();
    this.#elapsed += performance.now() - began;
  }

  /** @param {number} k */
  async #join(k) {
    const chunk = await this.supply.chunk(k);
    await this.hold.free(() => {
      if (!this.#ended) (this.crew ?? this.forge).add_data(chunk.images, chunk.labels);
    });
  }

  /** @param {number} next @param {number} chunks */
  async #joinRest(next, chunks) {
    for (let k = next; k < chunks && !this.#ended; k++) await this.#join(k);
  }

  /** A GPU answers when it can: nobody waits for it. */
  #ask() {
    const answer = this.wishes.ask(this.drawing.view);
    return this.onGpu ? void answer.catch((error) => this.fail(error)) : answer;
  }

  #report() {
    this.#reportAt = performance.now() + REPORT_EVERY;
    this.#reading ??= this.#send()
      .catch((error) => this.fail(error))
      .finally(() => (this.#reading = null));
  }

  async #send() {
    const step = this.forge.step();
    const elapsed = this.#elapsed;
    const ms = elapsed - this.#mark.elapsed;
    if (ms > 40 && step > this.#mark.step) {
      const rate = (1000 * (step - this.#mark.step)) / ms;
      this.#rate = this.#rate === 0 ? rate : 0.8 * this.#rate + 0.2 * rate;
      this.#mark = { step, elapsed };
    }
    const images = this.forge.images_seen();
    const metrics = await this.forge.metrics();
    this.care?.watch(metrics);
    this.post({ type: 'progress', run: this.id, step, images, rate: this.#rate, elapsed, metrics }, [metrics.buffer]);
  }

  /** Everything asked for has happened and is on the page. */
  async #settleAndShow() {
    await Promise.all(this.#flights.splice(0));
    await this.drawing.draw();
    await this.wishes.ask(this.drawing.view);
    await Promise.all(this.#flights.splice(0));
    await this.#reading;
    await this.#send();
  }

  async #acknowledge() {
    await this.#settleAndShow();
    this.post({ type: 'paused', run: this.id });
  }
}
