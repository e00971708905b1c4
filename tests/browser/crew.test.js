// Steps that several workers share: the run of one, whatever is asked of it meanwhile.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { launchChromium } from './chromium.js';
import { complaintsOf, imagesOf, keepScreen, noticesOf, stateOf, until, untilState } from './forge-page.js';
import { beforeWorker, siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let complaints;

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  complaints = complaintsOf(page);
});
afterEach(async () => {
  await page.close();
  assert.deepEqual(complained(), []);
});

/** What the browser complains of, but for downloads that end with a page or a worker. They are forgotten then. */
const complained = () => complaints.splice(0).filter((complaint) => !complaint.endsWith('net::ERR_ABORTED'));

/** @param {number} step */
const untilPaused = (step) => untilState(page, `step ${step}`, (state) => state.phase === 'paused' && state.step === step);

/** The grid after some single steps. @param {number} threads @param {string} settings */
async function afterSteps(threads, settings) {
  await page.goto('about:blank');
  await page.goto(`${site.address}?engine=cpu&lang=en&autostart=0&threads=${threads}#${settings}`);
  for (let step = 0; step <= 8; step++) {
    await untilPaused(step);
    if (step < 8) await page.locator('#step').click();
  }
  return imagesOf(page);
}

/** @param {Uint8Array} a @param {Uint8Array} b */
const apart = (a, b) => a.filter((value, k) => Math.abs(value - (b[k] ?? 0)) > 2).length / a.length;

test('two workers, or three, make the steps that one makes, and the same bits again', async () => {
  const alone = await afterSteps(1, 'seed=11');
  assert.match(await page.locator('#readouts').innerText(), /CPU · WebAssembly SIMD, one thread/);
  const two = await afterSteps(2, 'seed=11');
  assert.match(await page.locator('#readouts').innerText(), /CPU · WebAssembly SIMD, 2 threads/);
  assert.equal((await stateOf(page))?.threads, 2);
  assert.ok(apart(alone, two) < 0.01, `${apart(alone, two)}`);
  assert.deepEqual(await afterSteps(2, 'seed=11'), two);
  const three = await afterSteps(3, 'seed=11');
  assert.equal((await stateOf(page))?.threads, 3);
  assert.ok(apart(alone, three) < 0.01, `${apart(alone, three)}`);
});

test('what hears of its whole batch is trained by one', async () => {
  await page.goto(`${site.address}?engine=cpu&threads=4#gNorm=batch`);
  const { threads } = await untilState(page, 'training', ({ step }) => step > 20);
  assert.equal(threads, 1);
});

test('while two share the steps, the run is read, tuned, saved, paused and goes on from its checkpoint', async () => {
  await page.goto(`${site.address}?engine=cpu&lang=en&threads=2#seed=7`);
  await untilState(page, 'an epoch', ({ step }) => step > 700, 60);
  await until('readings', () => page.locator('#quality-scores dd').allInnerTexts(), ([legible]) => /^\d+ of 10$/.test(legible ?? ''));
  await page.evaluate(() => void (location.hash = '#seed=7&gRate=0.003'));
  await untilState(page, 'another rate', ({ settings }) => settings.includes('gRate=0.003'));
  await untilState(page, 'a stretch', ({ step }) => step > 900, 60);
  await page.locator('#play').click();
  const rests = await untilState(page, 'a rest', ({ phase }) => phase === 'paused');
  const grid = await imagesOf(page);
  await page.locator('#step').click();
  await untilPaused(rests.step + 1);
  const next = await imagesOf(page);
  await page.keyboard.press('r');
  await untilPaused(0);
  await page.getByRole('button', { name: /^Bring back step/ }).click();
  // A step further, which both make from the weights that came back: the same bits.
  const back = await untilPaused(rests.step + 1);
  assert.equal(back.threads, 2);
  assert.deepEqual(await imagesOf(page), next);
  assert.notDeepEqual(grid, next);
  await page.locator('#play').click();
  await untilState(page, 'going on', ({ step, playing }) => playing && step > back.step + 50);
  assert.deepEqual(await noticesOf(page), []);
  await keepScreen(page, 'two-threads');
});

test('a run of two that explodes goes back by itself, and both go on from there', async () => {
  await page.goto(`${site.address}?engine=cpu&lang=en&threads=2#loss=leastsquares&optimizer=sgd&gRate=1&dRate=1`);
  const rests = await untilState(page, 'resting', ({ phase, wanted }) => phase === 'paused' && !wanted);
  assert.equal(rests.step, 0);
  await page.locator('.cures button').first().click();
  const { threads } = await untilState(page, 'going on', ({ settings, playing, step: at }) => playing && at > 30 && settings.includes('gRate=0.01&dRate=0.01'));
  assert.equal(threads, 2);
});

test('where a worker can have no workers, or they can’t start, it trains alone', async () => {
  try {
    for (const [script, said] of /** @type {const} */ ([
      ['self.Worker = undefined', []],
      ['self.addEventListener("message", ({ data: { rank } }) => { if (rank) throw new Error("no room"); })', [/without other workers: .*no room/]],
    ])) {
      site.replace(beforeWorker(script));
      await page.goto('about:blank');
      await page.goto(`${site.address}?engine=cpu&threads=2`);
      const { threads } = await untilState(page, 'training', ({ step }) => step > 20);
      assert.equal(threads, 1);
      const heard = complained();
      assert.equal(heard.length, said.length, heard.join());
      said.forEach((words, k) => assert.match(heard[k] ?? '', words));
    }
  } finally {
    site.replace(null);
  }
});

test('runs that follow one another quickly leave no workers behind', async () => {
  // Whoever computes a shard answers a question that the page puts to all.
  site.replace(beforeWorker(`{
    const channel = new BroadcastChannel('who is there?');
    channel.onmessage = ({ data }) => data === '?' && self.rank && channel.postMessage(self.rank);
    self.addEventListener('message', ({ data: { rank } }) => (self.rank ??= rank));
  }`));
  try {
    await page.goto(`${site.address}?engine=cpu&threads=3`);
    await untilState(page, 'training', ({ step }) => step > 20);
    for (let k = 0; k < 5; k++) await page.keyboard.press('n');
    await untilState(page, 'training again', ({ step, threads }) => step > 20 && threads === 3);
    const ranks = () => page.evaluate(async () => {
      const channel = new BroadcastChannel('who is there?');
      /** @type {number[]} */
      const there = [];
      channel.onmessage = ({ data }) => there.push(data);
      channel.postMessage('?');
      await new Promise((done) => setTimeout(done, 500));
      channel.close();
      return there.sort();
    });
    await until('two workers', ranks, (there) => there.join() === '1,2', 10);
  } finally {
    site.replace(null);
  }
});

test('a worker that fails ends the run with its words, and a new run starts', async () => {
  site.replace(beforeWorker(`{
    let orders = 0;
    self.addEventListener('message', (event) => {
      if (event.data.type === 'order' && ++orders === 40) Promise.reject(new Error('out of memory'));
    });
  }`));
  try {
    await page.goto(`${site.address}?engine=cpu&lang=en&threads=2`);
    await untilState(page, 'failing', ({ phase }) => phase === 'failed');
    assert.match((await noticesOf(page)).join(), /out of memory/);
    site.replace(null);
    await page.locator('.notice button').first().click();
    const { threads } = await untilState(page, 'a new run', ({ step }) => step > 50);
    assert.equal(threads, 1);
  } finally {
    site.replace(null);
  }
});
