// What the discriminator wants, drawn over the digits: shown and hidden, on both engines, and no part of the run.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { complaintsOf, imagesOf, keepScreen, stateOf, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);

/** Dots that are drawn over a grid. @param {import('playwright-core').Page} page @param {string} grid */
const dots = (page, grid) =>
  page.locator(`${grid} + canvas.wishes`).evaluate((canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    const { data } = /** @type {CanvasRenderingContext2D} */ (/** @type {HTMLCanvasElement} */ (canvas).getContext('2d')).getImageData(0, 0, width, height);
    return data.filter((value, k) => k % 4 === 3 && value > 0).length;
  });

/** @param {import('playwright-core').Page} page */
async function pause(page) {
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  await page.keyboard.press('Space');
  return untilState(page, 'a pause', ({ phase, wanted }) => phase === 'paused' && !wanted, 60);
}

for (const engine of ['cpu', 'gpu']) {
  test(`wishes come and go over the digits, and change with them, on the ${engine.toUpperCase()}`, async () => {
    // What shows a GPU's pictures makes all else slow.
    const own = await launchChromium({ presents: engine === 'gpu' });
    const page = await own.newPage({ viewport: { width: 1280, height: 900 } });
    const complaints = complaintsOf(page);
    try {
      await page.goto(`${site.address}?engine=${engine}&lang=en&theme=light#gChannels=4&dChannels=4`);
      await untilState(page, 'training', ({ step }) => step > 20, 60);
      const button = page.getByRole('button', { name: 'D’s wishes' });
      assert.equal(await button.getAttribute('aria-pressed'), 'false');
      assert.equal(await page.locator('#wishes').isVisible(), false);
      await button.click();
      await until('the wishes', () => dots(page, '#canvas'), (count) => count > 80 * 784, 60);
      assert.equal(await button.getAttribute('aria-pressed'), 'true');
      await until('their cost', () => page.locator('#wishes').innerText(), (text) => /more ink.*less ink.*discriminator.*Asking takes \d%/s.test(text), 60);
      await pause(page);
      const before = await page.locator('#canvas + canvas.wishes').screenshot();
      await page.keyboard.press('s');
      await until('others after a step', () => page.locator('#canvas + canvas.wishes').screenshot(), (now) => !now.equals(before), 30);
      await page.keyboard.press('v');
      await page.keyboard.press('v');
      await until('those of both', async () => [await dots(page, '#canvas'), await dots(page, '#raw')], (both) => both.every((count) => count > 80 * 784));
      await page.keyboard.press('i');
      await until('none', () => dots(page, '#canvas'), (count) => count === 0);
      assert.equal(await page.locator('#wishes').isVisible(), false);
      assert.deepEqual(complaints, []);
    } finally {
      await own.close();
    }
  });
}

test('a run under which somebody watches the wishes is the run without', async () => {
  const runs = [];
  for (const watched of [false, true]) {
    const page = await browser.newPage();
    try {
      await page.goto(`${site.address}?engine=cpu&lang=en&autostart=0#images=10000&gChannels=4&dChannels=4&seed=7`);
      await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
      if (watched) {
        await page.keyboard.press('i');
        await until('the wishes', () => dots(page, '#canvas'), (count) => count > 0);
      }
      for (let step = 1; step <= 12; step++) {
        await page.keyboard.press('s');
        await untilState(page, 'the step', (state) => state.step === step);
      }
      await page.locator('#losses summary').click();
      const losses = await until('the losses', () => page.locator('#losses table').innerText(), (text) => /\b12\b/.test(text));
      runs.push({ losses, images: await imagesOf(page), state: await stateOf(page) });
    } finally {
      await page.close();
    }
  }
  const [alone, watched] = runs;
  assert.equal(watched?.losses, alone?.losses);
  assert.ok(alone && watched && Buffer.from(alone.images).equals(watched.images));
});

test('where the grid isn’t made of whole packs, the page says why nothing is shown', async () => {
  const page = await browser.newPage();
  try {
    await page.goto(`${site.address}?engine=cpu&lang=en&autostart=0#pack=3&batch=6&gChannels=2&dChannels=2`);
    await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
    await page.keyboard.press('i');
    await until('the reason', () => page.locator('#wishes').innerText(), (text) => /can’t be told.*whole packs/.test(text));
    assert.equal(await dots(page, '#canvas'), 0);
  } finally {
    await page.close();
  }
});

for (const [width, lang, theme] of /** @type {const} */ ([[1440, 'en', 'dark'], [360, 'zh', 'light'], [360, 'en', 'dark']])) {
  test(`at ${width} px, ${theme}, in ${lang}, the wishes and their words fit`, async () => {
    const page = await browser.newPage({ viewport: { width, height: width < 600 ? 780 : 900 } });
    try {
      await page.goto(`${site.address}?engine=cpu&lang=${lang}&theme=${theme}`);
      await untilState(page, 'digits', ({ step }) => step > 300, 60);
      await page.keyboard.press('i');
      await until('the wishes', () => dots(page, '#canvas'), (count) => count > 0);
      await pause(page);
      await assertFits(page);
      await keepScreen(page, `${width}-${lang}-${theme}-wishes`);
    } finally {
      await page.close();
    }
  });
}
