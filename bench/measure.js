// Times two works of the page in turns, within a budget.

import { interval, median, ratio, round } from './statistics.js';
import { nameOf } from './tasks.js';

/** @typedef {import('./tasks.js').Task} Task */
/** @typedef {import('./tasks.js').EngineName} EngineName */
/** @typedef {import('./statistics.js').Round} Round */
/** @typedef {{ engine: EngineName, task: Task }} Entry */

/**
 * @typedef {object} Budget
 * @property {number} seconds   for a pair
 * @property {number} rounds    at most
 */

/** @typedef {import('./page.js').Bench} Bench */
/** Where the page's functions are. @typedef {import('playwright-core').Page} Page */

/** Rounds at least, so that there is some spread to see. */
const LEAST_ROUNDS = 2;
/** Milliseconds that a measurement should last: long against the clock's steps and the wait for its end. */
const MEASUREMENT = { least: 20, most: 250 };
/** Milliseconds of one submit of ours, as on the page. */
const SUBMIT = 10;
/** The most that make a measurement. */
const MOST = 4096;

/**
 * Calls one of the page's functions.
 * @template {keyof Bench} K
 * @param {Page} page
 * @param {K} name
 * @param {Parameters<Bench[K]>} args
 * @returns {Promise<Awaited<ReturnType<Bench[K]>>>}
 */
export const ask = (page, name, ...args) =>
  page.evaluate(({ name, args }) => /** @type {any} */ (self).bench[name](...args), { name, args });

/** A work in the page, with what is known of its pace. */
export class Opened {
  /** Milliseconds of one, as last seen. */
  #cost = 0;
  /** How many make a measurement. */
  times = 1;

  /** @param {Page} page @param {Entry} entry @param {number} id */
  constructor(page, entry, id) {
    this.page = page;
    this.entry = entry;
    this.id = id;
  }

  /** Opens it and runs it once, so that everything is compiled. @param {Page} page @param {Entry} entry */
  static async open(page, entry) {
    const opened = new Opened(page, entry, await ask(page, 'open', entry.engine, entry.task));
    await opened.run(1);
    await opened.run(1);
    return opened;
  }

  /** @param {number} times @param {number} [slice] @returns {Promise<number>} milliseconds of one */
  async run(times, slice = Math.max(1, Math.round(SUBMIT / (this.#cost || SUBMIT)))) {
    this.#cost = (await ask(this.page, 'run', this.id, times, slice)) / times;
    return this.#cost;
  }

  /** Chooses how many make a measurement of about `ms`. @param {number} ms */
  async fit(ms) {
    // What ran once alone has paid for its start; several times in a row tell the pace.
    const wanted = () => Math.min(MOST, Math.max(1, Math.round(ms / this.#cost)));
    for (let i = 0; i < 3 && this.#cost * this.times < ms / 2; i++) {
      this.times = wanted();
      await this.run(this.times);
    }
    this.times = wanted();
  }

  /** @returns {Promise<number[]>} its last losses */
  close() {
    return ask(this.page, 'close', this.id);
  }
}

/**
 * @typedef {object} Comparison
 * @property {string} task
 * @property {string} a
 * @property {string} b
 * @property {number} aMs      median of one
 * @property {number} bMs
 * @property {number} ratio    a over b
 * @property {number} low      of its interval
 * @property {number} high
 * @property {number | null} confidence  null where the rounds are too few for an interval
 * @property {number} rounds
 * @property {{ a: number, b: number }} times   in a measurement
 * @property {{ a: number[], b: number[] }} losses
 */

/**
 * Rounds of A B B A until the budget is spent.
 * @param {Page} page
 * @param {Entry} a
 * @param {Entry} b
 * @param {Budget} budget
 * @returns {Promise<Comparison>}
 */
export async function compare(page, a, b, { seconds, rounds }) {
  const sides = { a: await Opened.open(page, a), b: await Opened.open(page, b) };
  const share = (seconds * 1000) / (rounds * round.length);
  const ms = Math.min(MEASUREMENT.most, Math.max(MEASUREMENT.least, share));
  await sides.a.fit(ms);
  await sides.b.fit(ms);
  /** @type {Round[]} */
  const measured = [];
  const end = performance.now() + seconds * 1000;
  while (measured.length < LEAST_ROUNDS || (measured.length < rounds && performance.now() < end)) {
    /** @type {Round} */
    const times = { a: [], b: [] };
    for (const side of round) times[side].push(await sides[side].run(sides[side].times));
    measured.push(times);
  }
  const losses = { a: await sides.a.close(), b: await sides.b.close() };
  return {
    task: nameOf(a.task),
    a: a.engine,
    b: b.task.kind === 'bare' ? `${b.engine}, ${nameOf(b.task)}` : b.engine,
    aMs: median(measured.flatMap((one) => one.a)),
    bMs: median(measured.flatMap((one) => one.b)),
    ratio: ratio(measured),
    ...interval(measured),
    rounds: measured.length,
    times: { a: sides.a.times, b: sides.b.times },
    losses,
  };
}
