// A smoke run in a second browser, whose WebGPU is another implementation: wgpu with naga, here on lavapipe.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { findBrowsers } from '../../scripts/browsers.mjs';
import { sleep } from './forge-page.js';
import { legibility } from './legibility.js';
import { siteIn } from './site.js';

/** @typedef {import('./forge-page.js').Snapshot} Snapshot */

const { site, browser } = await siteIn(() => {
  const { FIREFOX, VK_ICD_FILENAMES } = findBrowsers();
  assert.ok(FIREFOX && VK_ICD_FILENAMES, 'Firefox and lavapipe are installed by `npm test`');
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    env: { ...process.env, VK_ICD_FILENAMES },
    extraPrefsFirefox: { 'dom.webgpu.enabled': true, 'dom.webgpu.workers.enabled': true, 'gfx.webgpu.ignore-blocklist': true },
  });
});

/**
 * @param {import('puppeteer-core').Page} page
 * @param {(state: Snapshot) => boolean} isGood
 * @param {number} limit   s
 */
async function untilState(page, isGood, limit) {
  for (const end = Date.now() + limit * 1000; ; await sleep(200)) {
    /** @type {Snapshot | undefined} */
    const state = await page.evaluate(() => /** @type {any} */ (window).digitForge?.state());
    if (state && isGood(state)) return state;
    const notices = await page.$$eval('.notice > p', (all) => all.map((p) => p.textContent));
    if (Date.now() > end) assert.fail(`not within ${limit} s: ${JSON.stringify({ state, notices })}`);
  }
}

/** @param {import('puppeteer-core').Page} page */
const imagesOf = async (page) =>
  Uint8Array.from(await page.evaluate(async () => Array.from(/** @type {Uint8Array} */ (await /** @type {any} */ (window).digitForge.images()))));

test('Firefox trains by itself, and digits can be read', async (t) => {
  const page = await browser.newPage();
  await page.goto(site.address + '?lang=en');
  const { engine, reason, rate, step } = await untilState(page, (state) => state.step >= 500, 60);
  assert.deepEqual([engine, reason], ['cpu', 'software']);
  const share = legibility(await imagesOf(page));
  t.diagnostic(`step ${step}, ${rate.toFixed(0)} a second: ${share}`);
  assert.ok(share >= 0.6, `${share}`);
  await page.close();
});

test('Firefox lets two workers share a step', async () => {
  const page = await browser.newPage();
  await page.goto(site.address + '?engine=cpu&threads=2');
  const { threads } = await untilState(page, (state) => state.step >= 200, 60);
  assert.equal(threads, 2);
  await page.close();
});

test('Firefox trains on WebGPU where it is asked to', async (t) => {
  // Without a GPU this Firefox puts pages together in software, and its "Renderer" thread crashes in about two of three
  // runs as it takes over a WebGPU canvas that trains meanwhile. So the canvas is drawn on as ever, but not shown.
  site.replace((path, bytes) => (path.endsWith('.css') ? Buffer.concat([bytes, Buffer.from('.canvas canvas { display: none !important }')]) : undefined));
  const page = await browser.newPage();
  await page.goto(site.address + '?engine=gpu&lang=en');
  const state = await untilState(page, ({ step, playing }) => playing && step >= 100, 120);
  assert.deepEqual([state.engine, state.reason], ['gpu', 'forced-software']);
  const share = legibility(await imagesOf(page));
  t.diagnostic(`${state.adapter}: step ${state.step}, ${state.rate.toFixed(1)} a second: ${share}`);
  assert.ok(share >= 0.4, `${share}`);
  await page.click('#play');
  await untilState(page, ({ phase }) => phase === 'paused', 20);
  assert.equal(await page.$$eval('.notice', (all) => all.length), 0);
  await page.close();
});
