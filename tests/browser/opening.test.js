// Opening the built site, from a folder of a plain static host.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { insecureHost, launchChromium } from './chromium.js';
import { complaintsOf, noticesOf, stateOf, until, untilState } from './forge-page.js';
import { beforeWorker, siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);
/** @type {import('playwright-core').Page} */
let page;

afterEach(async () => {
  site.replace(null);
  await page.close();
});

test('it opens from a sub-path, trains by itself, and nothing is amiss', async (t) => {
  page = await browser.newPage();
  const complaints = complaintsOf(page);
  await page.goto(site.address);
  const { rows, columns, settings } = await untilState(page, 'training', ({ playing, step }) => playing && step > 20);
  assert.deepEqual([rows, columns, settings], [8, 10, 'preset=quick&seed=1']);
  const { rate } = await untilState(page, 'more training', ({ step }) => step > 300);
  t.diagnostic(`${Math.round(rate)} steps a second`);
  assert.deepEqual(await noticesOf(page), []);
  assert.deepEqual(complaints, []);
});

test('a browser whose language is no language tag trains as any other', async () => {
  page = await browser.newPage();
  const complaints = complaintsOf(page);
  await page.addInitScript("Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US@posix' })");
  await page.goto(site.address);
  await untilState(page, 'training', ({ playing, step }) => playing && step > 20);
  assert.deepEqual(complaints, []);
});

test('it paints at once, counts the bytes, and trains on the first 10,000 images while the rest is on its way', async () => {
  page = await browser.newPage();
  /** @type {Record<string, () => void>} */
  const release = {};
  site.asked.length = 0;
  const held = Object.fromEntries([0, 1].map((k) => {
    const file = `data/mnist/images-${k}.bin`;
    return [file, new Promise((done) => (release[file] = () => done(undefined)))];
  }));
  site.replace((path) => held[path]?.then(() => undefined));
  await page.goto(site.address + '?lang=en');
  await until('the status', () => page.locator('#status').innerText(), (text) => /Fetching the first 10,000.* [\d.]+ of [\d.]+ MB/.test(text));
  assert.equal(await page.locator('#play').isVisible(), true);
  assert.equal((await stateOf(page))?.step, 0);
  release['data/mnist/images-0.bin']?.();
  await untilState(page, 'training', ({ step }) => step > 20);
  assert.ok(!site.asked.includes('data/mnist/images-2.bin'));
  release['data/mnist/images-1.bin']?.();
  await until('the last images', async () => site.asked, (asked) => asked.includes('data/mnist/images-5.bin'));
  const { step } = await untilState(page, 'the state', () => true);
  await untilState(page, 'training after the last images', (state) => state.step > step);
});

/** @type {{where: string, script: string, host?: string, reason: string, said: RegExp}[]} */
const withoutGpu = [
  { where: 'a GPU in software', script: '', reason: 'software', said: /imitates a GPU in software/ },
  { where: 'no API', script: 'delete WorkerNavigator.prototype.gpu', reason: 'no-api', said: /doesn’t offer WebGPU/ },
  { where: 'no adapter', script: 'GPU.prototype.requestAdapter = async () => null', reason: 'no-adapter', said: /no usable graphics adapter/ },
  { where: 'an insecure origin', script: '', host: insecureHost, reason: 'insecure', said: /only to pages served over https/ },
];
for (const { where, script, host = '127.0.0.1', reason, said } of withoutGpu) {
  test(`with ${where} it trains on the CPU engine, and says why`, async () => {
    page = await browser.newPage();
    site.replace(beforeWorker(script));
    await page.goto(site.address.replace('127.0.0.1', host) + '?lang=en');
    const state = await untilState(page, 'training', ({ playing, step }) => playing && step > 0);
    assert.deepEqual([state.engine, state.reason], ['cpu', reason]);
    const words = await page.locator('#readouts').innerText();
    assert.match(words, said);
    assert.ok(words.includes('CPU') && words.includes(state.adapter), words);
  });
}

test('a GPU that cannot draw gives way to the CPU engine, and the page says so', async () => {
  // This browser puts pages together without a GPU: see chromium.js.
  page = await browser.newPage();
  await page.goto(site.address + '?lang=en&engine=gpu');
  const { engine, reason } = await untilState(page, 'training', ({ playing, step }) => playing && step > 20, 60);
  assert.deepEqual([engine, reason], ['cpu', 'gpu-failed']);
  assert.match((await noticesOf(page)).join('\n'), /GPU engine could not start, so the CPU engine took over/);
});
