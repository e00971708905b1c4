// Play, pause, single step, restart, new seed: by button and by key, and what they do to the run.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { launchChromium } from './chromium.js';
import { imagesOf, noticesOf, sleep, stateOf, until, untilState } from './forge-page.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);
/** @type {import('playwright-core').Page} */
let page;

beforeEach(async () => void (page = await browser.newPage()));
afterEach(() => page.close());

const seedOf = (/** @type {string} */ settings) => new URLSearchParams(settings).get('seed');

/** @param {number} [step] */
const untilPaused = (step) => untilState(page, `a pause at ${step ?? 'any step'}`, (state) => state.phase === 'paused' && state.step === (step ?? state.step));

/** Nothing happens for a while; the grid meanwhile. @param {number} step */
async function assertStill(step) {
  const grid = await imagesOf(page);
  await sleep(2000);
  const state = await stateOf(page);
  assert.deepEqual([state?.step, state?.phase], [step, 'paused']);
  assert.deepEqual(await imagesOf(page), grid);
  return grid;
}

test('pause pauses, a step is one step, play goes on', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en');
  await untilState(page, 'training', ({ step }) => step > 50);
  assert.equal(await page.locator('#play').innerText(), 'Pause');
  await page.locator('#play').click();
  const { step } = await untilPaused();
  assert.equal(await page.locator('#play').innerText(), 'Play');
  const before = await assertStill(step);
  await page.locator('#step').click();
  await untilPaused(step + 1);
  const stepped = await assertStill(step + 1);
  assert.notDeepEqual(stepped, before);
  await page.locator('#play').click();
  await untilState(page, 'going on', (state) => state.playing && state.step > step + 20);
});

test('a step from the midst of training ends it after exactly that step', async () => {
  await page.goto(site.address + '?engine=cpu');
  await untilState(page, 'training', ({ step }) => step > 50);
  await page.locator('#step').click();
  const { step } = await untilPaused();
  await assertStill(step);
});

test('space, S, R and N do as their buttons', async () => {
  await page.goto(site.address + '?engine=cpu#seed=7');
  await untilState(page, 'training', ({ step }) => step > 20);
  await page.keyboard.press('Space');
  const { step } = await untilPaused();
  await page.keyboard.press('s');
  await untilPaused(step + 1);
  await page.keyboard.press('S');
  await untilPaused(step + 2);
  await page.keyboard.press('r');
  const again = await untilPaused(0);
  assert.equal(seedOf(again.settings), '7');
  await page.keyboard.press('Space');
  await untilState(page, 'training', (state) => state.playing && state.step > 0);
  await page.keyboard.press('n');
  const anew = await untilState(page, 'a new seed', (state) => state.playing && seedOf(state.settings) !== '7');
  assert.equal(seedOf(new URL(page.url()).hash.slice(1)), seedOf(anew.settings));
});

test('with autostart=0 it waits, shows the untrained grid, and starts on a click', async () => {
  await page.goto(site.address + '?engine=cpu&autostart=0');
  await untilPaused(0);
  await assertStill(0);
  await page.locator('#play').click();
  await untilState(page, 'training', ({ playing, step }) => playing && step > 5);
});

test('the same seed gives the same images at the same step, bit for bit; another seed gives others', async () => {
  await page.goto(site.address + '?engine=cpu&autostart=0#seed=11');
  /** @returns {Promise<Uint8Array>} */
  const afterFiveSteps = async () => {
    await untilPaused(0);
    for (let step = 1; step <= 5; step++) {
      await page.locator('#step').click();
      await untilPaused(step);
    }
    return imagesOf(page);
  };
  const first = await afterFiveSteps();
  await page.locator('#restart').click();
  assert.deepEqual(await afterFiveSteps(), first);
  await page.locator('#seed').click();
  await untilState(page, 'a new seed', ({ settings }) => seedOf(settings) !== '11');
  const other = await afterFiveSteps();
  assert.notDeepEqual(other, first);
  // And in another page, by the address alone.
  await page.goto('about:blank');
  await page.goto(site.address + '?engine=cpu&autostart=0#seed=11');
  assert.deepEqual(await afterFiveSteps(), first);
});

test('a key typed into a field is text, not a command', async () => {
  await page.goto(site.address + '?engine=cpu&autostart=0');
  await untilPaused(0);
  await page.keyboard.press('e');
  const seed = page.locator('#setting-seed');
  await seed.fill('');
  await seed.press('s');
  await sleep(300);
  assert.equal((await stateOf(page))?.step, 0);
  assert.equal(await seed.inputValue(), 's');
});

test('a run that a key or a setting has ended can be brought back as it was', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#seed=7');
  const bringBack = page.getByRole('button', { name: /^Bring back step/ });
  const change = async () => {
    await page.locator('#settings-toggle').click();
    await page.locator('#setting-batch').fill('8');
    await page.locator('#setting-batch').press('Enter');
  };
  for (const restart of [() => page.keyboard.press('r'), () => page.keyboard.press('n'), () => page.keyboard.press('p'), change]) {
    await untilState(page, 'a run of some length', ({ step, playing }) => playing && step > 320);
    assert.deepEqual(await noticesOf(page), []);
    await page.keyboard.press('Space');
    const { step, settings } = await untilPaused();
    const grid = await imagesOf(page);
    await restart();
    await untilPaused(0);
    assert.equal(await until('the way back', () => bringBack.textContent(), Boolean), `Bring back step ${step.toLocaleString('en')}`);
    assert.deepEqual(await noticesOf(page), ['Restarted.']);
    // A short run that ends meanwhile changes nothing of it.
    await page.locator('#restart').click();
    await untilPaused(0);
    await bringBack.click();
    const again = await untilPaused(step);
    assert.equal(again.settings, settings);
    assert.deepEqual(await imagesOf(page), grid);
    await page.keyboard.press('Space');
  }
});

test('in somebody else’s page there is no such offer', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en&embed=1');
  await untilState(page, 'a run of some length', ({ step }) => step > 320);
  await page.keyboard.press('r');
  await untilState(page, 'the new run', ({ step }) => step > 0 && step < 300);
  await sleep(300);
  assert.deepEqual(await noticesOf(page), []);
});
