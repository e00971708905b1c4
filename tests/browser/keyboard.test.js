// By keyboard alone: the focus is never lost, and what was opened closes with Escape.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { launchChromium } from './chromium.js';
import { noticesOf, stateOf, until, untilState } from './forge-page.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);
/** @type {import('playwright-core').Page} */
let page;

beforeEach(async () => void (page = await browser.newPage()));
afterEach(() => page.close());

/** Waits, too, for what takes the focus away only later. @param {string} selector */
async function assertFocus(selector) {
  await until(`the focus on ${selector}`, () => page.evaluate((wanted) => document.activeElement?.matches(wanted), selector), Boolean, 5);
}

/** @param {string} hash */
async function open(hash = '') {
  await page.goto(`${site.address}?engine=cpu&autostart=0&lang=en&theme=light${hash}`);
  await untilState(page, 'a run', ({ phase }) => phase === 'paused');
}

/** @param {string} selector */
async function press(selector) {
  await page.locator(selector).focus();
  await page.keyboard.press('Enter');
}

test('back to a preset’s value, the keyboard is at its control', async () => {
  await open('#batch=8&loss=hinge');
  await page.keyboard.press('e');
  for (const key of ['batch', 'loss']) {
    await press(`[data-key=${key}] .reset`);
    await until(key, () => page.locator(`[data-key=${key}] .reset`).isHidden(), Boolean);
    await assertFocus(`#setting-${key}`);
  }
});

test('a notice that is dismissed leaves the keyboard at the next, the last at the controls', async () => {
  await open('#batch=0&dSteps=0');
  await until('two notices', () => noticesOf(page), ({ length }) => length === 2);
  await press('.notice:first-child .dismiss');
  assert.equal((await noticesOf(page)).length, 1);
  await assertFocus('.notice .dismiss');
  await page.keyboard.press('Enter');
  assert.deepEqual(await noticesOf(page), []);
  await assertFocus('#controls');
});

test('another language leaves the keyboard where it is', async () => {
  await open('#batch=8');
  await page.keyboard.press('e');
  await page.locator('[data-key=batch] .reset').focus();
  await page.keyboard.press('g');
  await assertFocus('[data-key=batch] .reset');
  assert.match(await page.locator(':focus').innerText(), /恢复|回到|预设/);
  await page.keyboard.press('j');
  await until('the digits', () => page.locator('#fooling .thumb').count(), (count) => count === 20);
  await page.locator('#fooling-teach').focus();
  await page.keyboard.press('g');
  await assertFocus('#fooling-teach');
  assert.equal(await page.locator(':focus').innerText(), 'Teach');
});

test('Escape closes the panel that the keyboard is in, and takes back what is being typed', async () => {
  await open();
  await page.keyboard.press('e');
  await page.keyboard.press('d');
  await page.locator('#setting-batch').fill('9');
  await page.keyboard.press('Escape');
  await assertFocus('#settings-toggle');
  assert.deepEqual([await page.locator('#settings').isVisible(), await page.locator('#data').isVisible()], [false, true]);
  await page.keyboard.press('Escape');
  await assertFocus('#data-toggle');
  assert.equal(await page.locator('#data').isVisible(), false);
  await page.keyboard.press('j');
  await page.locator('#fooling .close').focus();
  await page.keyboard.press('Escape');
  await assertFocus('#judge-toggle');
  assert.equal(await page.locator('#fooling').isVisible(), false);
  assert.equal((await stateOf(page))?.settings, 'preset=quick&seed=1');
  await page.keyboard.press('e');
  assert.equal(await page.locator('#setting-batch').inputValue(), '16');
});

test('the key that opens the list of keys closes it, as Escape does', async () => {
  await open();
  for (const key of ['?', 'Escape']) {
    await page.locator('#play').focus();
    await page.keyboard.press('?');
    assert.ok(await page.locator('#help').isVisible());
    // No other key means anything meanwhile.
    await page.keyboard.press('e');
    assert.equal(await page.locator('#settings').isVisible(), false);
    await page.keyboard.press(key);
    await until('no list', () => page.locator('#help').isHidden(), Boolean);
    await assertFocus('#play');
  }
});
