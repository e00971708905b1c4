// Averaged, raw, or both: whose digits the grid shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { stateOf, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(() => launchChromium({ presents: true }));
/** The canvases of both generators; while a run starts, its own. */
const canvases = ['#canvas canvas:last-child', '#raw canvas:last-child'];

/** @param {import('playwright-core').Page} page @param {number} step */
async function pauseAfter(page, step) {
  await untilState(page, 'training', (state) => state.step > step, 60);
  await page.keyboard.press('Space');
  await untilState(page, 'a pause', ({ phase, wanted }) => phase === 'paused' && !wanted, 60);
}

/** @param {import('playwright-core').Page} page @param {string} which */
const seen = async (page, which) => (await page.locator(which).screenshot({ animations: 'disabled', timeout: 60_000 })).toString('base64');

/** @param {import('playwright-core').Page} page */
const shown = (page) => Promise.all(canvases.map((canvas) => page.locator(canvas).isVisible()));

for (const engine of ['cpu', 'gpu']) {
  test(`the raw generator’s digits are drawn beside the averaged ones, on the ${engine.toUpperCase()}`, async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    try {
      await page.goto(`${site.address}?engine=${engine}&lang=en&theme=light#gChannels=4`);
      await pauseAfter(page, engine === 'cpu' ? 200 : 20);
      assert.deepEqual(await shown(page), [true, false]);
      await page.getByRole('button', { name: 'both', exact: true }).click();
      assert.deepEqual(await shown(page), [true, true]);
      assert.match(page.url(), /#preset=quick&gChannels=4&seed=1&view=both$/);
      const [averaged, raw] = /** @type {[string, string]} */ (canvases);
      // Until it is drawn there is paper only.
      const blank = (await seen(page, raw)).length;
      await until('the raw digits', () => seen(page, raw), (picture) => picture.length > blank / 2 && picture.length > 5000);
      assert.notEqual(await seen(page, averaged), await seen(page, raw));
      const boxes = await Promise.all(canvases.map((canvas) => page.locator(canvas).boundingBox()));
      assert.equal(boxes[0]?.y, boxes[1]?.y);
      assert.ok((boxes[1]?.x ?? 0) > (boxes[0]?.x ?? 0) + (boxes[0]?.width ?? 0));

      // Both move on with a step.
      const before = [await seen(page, averaged), await seen(page, raw)];
      const { step } = /** @type {import('./forge-page.js').Snapshot} */ (await stateOf(page));
      await page.keyboard.press('s');
      await untilState(page, 'a step', (state) => state.step === step + 1, 60);
      await until('both', async () => [await seen(page, averaged), await seen(page, raw)], (now) => now.every((picture, k) => picture !== before[k]));

      await page.keyboard.press('v');
      await page.keyboard.press('v');
      assert.deepEqual(await shown(page), [false, true]);
      assert.equal(await page.getByRole('button', { name: 'raw', exact: true }).getAttribute('aria-pressed'), 'true');
    } finally {
      await page.close();
    }
  });
}

test('a link with a view opens with it, and on a phone both are below one another, as wide as they can be', async () => {
  const page = await browser.newPage({ viewport: { width: 360, height: 780 } });
  try {
    await page.goto(`${site.address}?engine=cpu&lang=en#view=both`);
    await pauseAfter(page, 50);
    await assertFits(page);
    const boxes = await Promise.all(canvases.map((canvas) => page.locator(canvas).boundingBox()));
    assert.equal(boxes[0]?.x, boxes[1]?.x);
    assert.ok(boxes.every((box) => box && box.width >= 280), JSON.stringify(boxes));
    // A restart keeps it.
    await page.keyboard.press('r');
    await untilState(page, 'the new run', ({ step, phase }) => phase === 'paused' && step === 0);
    assert.deepEqual(await shown(page), [true, true]);
  } finally {
    await page.close();
  }
});

test('without an average there is nothing to choose, and the page says why', async () => {
  const page = await browser.newPage();
  try {
    await page.goto(`${site.address}?engine=cpu&lang=en#average=0&view=both`);
    await untilState(page, 'training', ({ step }) => step > 20);
    assert.deepEqual(await shown(page), [true, false]);
    for (const name of ['averaged', 'raw', 'both']) {
      const button = page.getByRole('button', { name, exact: true });
      assert.ok(await button.isDisabled());
      assert.match((await button.getAttribute('title')) ?? '', /average is off/);
    }
    // Once there is one, the wish holds again.
    await page.keyboard.press('e');
    await page.locator('#setting-average').fill('0.9');
    await page.locator('#setting-average').press('Enter');
    await until('both', () => shown(page), (both) => both.every(Boolean));
  } finally {
    await page.close();
  }
});
