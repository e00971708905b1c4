// The three groups of comparisons. A ratio is always the first over the second: how many times as long the peer takes as
// ours, or a step as its bare products.

import { compare } from './measure.js';
import { line } from './report.js';
import { nameOf, overhead, rivals, shapes, squares, stepProducts } from './tasks.js';

/** @typedef {import('./tasks.js').Task} Task */
/** @typedef {import('./tasks.js').ModelName} ModelName */
/** @typedef {import('./measure.js').Entry} Entry */
/** @typedef {import('./measure.js').Budget} Budget */
/** @typedef {import('./report.js').Result} Result */
/** @typedef {import('./report.js').Goal} Goal */
/** @typedef {import('playwright-core').Page} Page */

/** A comparison that could not be made, and why. @typedef {{ task: string, a: string, b: string, error: string }} Failure */
/** @typedef {{ results: Result[], failures: Failure[], leftOut: { task: string, a: string, b: string }[] }} Outcome */

/** Of a pair's budget, what one product gets: there are many of them. */
const PRODUCT_SHARE = 1 / 20;
/** A square of twice the side is eight times the work. It is left out where either would take longer, in milliseconds. */
const LONG = 4000;

/** @param {number | undefined} at @returns {Goal} */
const atLeast = (at) => (at === undefined ? null : { at, least: true });

/** Collects what comes of each comparison, also that it failed. */
export class Session {
  /** @type {Outcome} */
  outcome = { results: [], failures: [], leftOut: [] };

  /** @param {Page} page @param {Budget} budget @param {(text: string) => void} say */
  constructor(page, budget, say) {
    this.page = page;
    this.budget = budget;
    this.say = say;
  }

  /**
   * @param {Entry} a
   * @param {Entry} b
   * @param {Goal} goal
   * @param {Budget} [budget]
   * @returns {Promise<Result | undefined>} nothing where one of them can't do it
   */
  async compare(a, b, goal, budget = this.budget) {
    try {
      const result = { ...(await compare(this.page, a, b, budget)), goal };
      this.outcome.results.push(result);
      this.say(line(result));
      return result;
    } catch (error) {
      const failure = { task: nameOf(a.task), a: a.engine, b: b.engine, error: String(error instanceof Error ? error.message : error) };
      this.outcome.failures.push(failure);
      this.say(`${failure.task}: ${failure.a} against ${failure.b} failed: ${failure.error}`);
      return undefined;
    }
  }

  /** A model's step: the peers' over ours, and ours over its bare products. @param {ModelName} model */
  async step(model) {
    const task = /** @type {const} */ ({ kind: 'step', model });
    for (const { ours, peer, step } of rivals) {
      await this.compare({ engine: peer, task }, { engine: ours, task }, atLeast(step));
    }
    const bare = /** @type {const} */ ({ kind: 'bare', model });
    const goal = model === 'mlp' ? { at: overhead, least: false } : null;
    for (const engine of /** @type {const} */ (['forge-gpu', 'forge-cpu'])) {
      await this.compare({ engine, task }, { engine, task: bare }, goal);
    }
  }

  /** Single products: squares up to the size that would take one of both too long, and the shapes of the MLP's step. */
  async products() {
    const budget = { ...this.budget, seconds: this.budget.seconds * PRODUCT_SHARE };
    for (const { ours, peer, product } of rivals) {
      if (product === null) continue;
      const one = (/** @type {Task} */ task) =>
        this.compare({ engine: peer, task }, { engine: ours, task }, atLeast(product), budget);
      let expected = 0;
      for (const square of squares) {
        if (expected > LONG) {
          this.outcome.leftOut.push({ task: nameOf(square), a: peer, b: ours });
          continue;
        }
        const result = await one(square);
        expected = 8 * Math.max(result?.aMs ?? expected, result?.bMs ?? expected);
      }
      for (const shape of shapes) await one(shape);
    }
  }
}

/**
 * All products of the MLP's step together, from those measured one by one.
 * @param {readonly Result[]} results
 */
export function productSums(results) {
  return rivals.flatMap(({ ours, peer }) => {
    const found = stepProducts.map((task) => results.find((one) => one.a === peer && one.b === ours && one.task === nameOf(task)));
    if (found.includes(undefined)) return [];
    const sum = (/** @type {'aMs' | 'bMs'} */ side) => found.reduce((total, one) => total + (one?.[side] ?? 0), 0);
    return [{ a: peer, b: ours, aMs: sum('aMs'), bMs: sum('bMs'), ratio: sum('aMs') / sum('bMs') }];
  });
}
