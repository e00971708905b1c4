// The settings' controls: sliders by the keyboard, and digits that stay in view beside them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { keepScreen, stateOf, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);

test('each arrow key leads a slider to the next value, however quickly; a page further, Home and End to the ends', async () => {
  const page = await browser.newPage();
  try {
    await page.goto(`${site.address}?engine=cpu&autostart=0&lang=en`);
    await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
    await page.keyboard.press('e');
    /** @param {string} key @param {string[]} keys @param {string} value */
    const assertKeys = async (key, keys, value) => {
      const slider = page.locator(`#setting-${key}-slider`);
      await slider.focus();
      for (const name of keys) await page.keyboard.press(name);
      assert.equal(await page.locator(`#setting-${key}`).inputValue(), value, key);
      await untilState(page, `${key} = ${value}`, ({ settings }) => settings.split('&').includes(`${key}=${value}`));
      assert.equal(await slider.getAttribute('aria-valuetext'), value);
    };
    await assertKeys('batch', ['ArrowRight'], '17');
    await assertKeys('batch', Array(5).fill('ArrowRight'), '22');
    await assertKeys('batch', ['ArrowLeft'], '21');
    await assertKeys('batch', ['PageUp'], '40');
    await assertKeys('batch', ['Home'], '1');
    await assertKeys('batch', ['ArrowRight'], '2');
    await assertKeys('batch', ['End'], '1024');
    await assertKeys('gDepth', ['ArrowRight'], '2');
    await assertKeys('translate', ['ArrowUp'], '1');
    await assertKeys('dRate', ['ArrowRight'], '0.0021');
    await assertKeys('average', Array(40).fill('ArrowRight'), '0.999');
    // Escape takes back what is about to be taken over.
    await page.locator('#setting-batch-slider').focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Escape');
    await page.waitForTimeout(500);
    assert.match((await stateOf(page))?.settings ?? '', /batch=1024/);
    assert.equal(await page.locator('#setting-batch').inputValue(), '1024');
  } finally {
    await page.close();
  }
});

test('whoever moves a slider keeps it, also where a value can’t be trained', async () => {
  const page = await browser.newPage();
  try {
    await page.goto(`${site.address}?engine=cpu&lang=en#pack=2`);
    await untilState(page, 'training', ({ playing }) => playing);
    await page.keyboard.press('e');
    await page.locator('#setting-pack-slider').focus();
    await page.keyboard.press('ArrowRight');
    await untilState(page, 'the failure', ({ settings, phase }) => phase === 'failed' && settings.includes('pack=3'));
    await page.keyboard.press('ArrowRight');
    await untilState(page, 'another run', ({ settings, playing }) => playing && settings.includes('pack=4'));
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '');
    await until('the slider in hand', focused, (id) => id === 'setting-pack-slider');
  } finally {
    await page.close();
  }
});

for (const [width, height] of /** @type {const} */ ([[360, 640], [768, 1000], [1280, 720]])) {
  test(`at ${width} × ${height} the digits and the way out stay in view, wherever one is in the settings`, async () => {
    const page = await browser.newPage({ viewport: { width, height } });
    try {
      await page.goto(`${site.address}?engine=cpu&lang=en`);
      await untilState(page, 'training', ({ step }) => step > 20);
      await page.locator('#settings-toggle').click();
      /** Whether it is what one sees at its middle. @param {string} place */
      const seen = (place) => page.locator(place).first().evaluate((element) => {
        const { left, top, width: across, height: down } = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(left + across / 2, top + down / 2));
      });
      for (const key of ['batch', 'dSteps', 'average', 'images']) {
        await page.locator(`#setting-${key}`).focus();
        for (const place of ['#plate', '.settings .close', `#setting-${key}`]) assert.ok(await seen(place), `${place} at ${key}`);
        const grid = await page.locator('#canvas').boundingBox();
        assert.ok(grid && grid.y >= 0 && grid.y + grid.height <= (width < 960 ? height / 3 : height) && grid.width > 150, `${key}: ${JSON.stringify(grid)}`);
        await assertFits(page);
      }
      // What is drawn comes after what is set.
      const tops = await page.evaluate(() => ['.networks', '[data-key=average]'].map((place) => document.querySelector(place)?.getBoundingClientRect().top ?? 0));
      assert.ok((tops[0] ?? 0) > (tops[1] ?? 0), tops.join(' '));
      await keepScreen(page, `settings-${width}`);
      await page.locator('.settings .close').click();
      assert.equal(await page.locator('#settings').isVisible(), false);
    } finally {
      await page.close();
    }
  });
}
