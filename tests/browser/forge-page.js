// An open page of Digit Forge: what its probe says, what the browser complains of, and waiting for both.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Frame} Frame */

/** @typedef {Pick<import('../../www/state.js').State, 'step'|'images'|'wanted'|'phase'|'engine'|'adapter'|'threads'|'reason'|'rate'|'elapsed'|'rows'|'columns'|'data'> & {playing: boolean, ready: boolean, settings: string}} Snapshot */

const screens = resolve(import.meta.dirname, '../../test-results/screens');

/** @param {number} ms */
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {Page | Frame} page @returns {Promise<Snapshot | undefined>} */
export const stateOf = (page) => page.evaluate(() => /** @type {any} */ (window).digitForge?.state());

/** The grid: rows × columns images of 28 × 28, ink = 255. @param {Page | Frame} page @returns {Promise<Uint8Array>} */
export async function imagesOf(page) {
  const text = await page.evaluate(async () => {
    /** @type {Uint8Array} */
    const bytes = await /** @type {any} */ (window).digitForge.images();
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  });
  return Buffer.from(text, 'latin1');
}

/**
 * Asks until the answer is good. Polled from here: the page's policy allows no evaluated text.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} ask
 * @param {(answer: NonNullable<T>) => unknown} isGood
 * @param {number} [limit]   s
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, ask, isGood, limit = 30) {
  const end = Date.now() + limit * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && isGood(answer)) return answer;
    if (Date.now() > end) assert.fail(`${what}: not within ${limit} s; last: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}

/**
 * @param {Page | Frame} page
 * @param {string} what
 * @param {(state: Snapshot) => unknown} isGood
 * @param {number} [limit]   s
 */
export const untilState = (page, what, isGood, limit) => until(what, () => stateOf(page), isGood, limit);

/** The texts of the notices that show. @param {Page | Frame} page */
export const noticesOf = (page) => page.locator('.notice > p').allInnerTexts();

/** A page's console errors, failed requests and uncaught errors, as they come. @param {Page} page */
export function complaintsOf(page) {
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`));
  return complaints;
}

/** @param {Page} page @param {string} name */
export async function keepScreen(page, name) {
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: resolve(screens, `${name}.png`), animations: 'disabled', timeout: 60_000 });
}
