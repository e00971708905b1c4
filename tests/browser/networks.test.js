// The diagrams of the two networks: a list in words, that follows the settings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { keepScreen, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);

/** @param {import('playwright-core').Page} page @param {string} network */
const wordsOf = async (page, network) => (await page.locator(`.network.${network} li`).allInnerTexts()).map((text) => text.split(/\s+/).join(' '));

test('both networks are listed, and follow the settings, also while one is being set', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  try {
    await page.goto(`${site.address}?engine=cpu&lang=en&theme=light`);
    await untilState(page, 'training', ({ step }) => step > 20);
    await page.keyboard.press('e');
    assert.deepEqual(await page.locator('.network figcaption').allInnerTexts(), ['Generator 61K parameters', 'Discriminator 10.8K parameters']);
    assert.deepEqual(await wordsOf(page, 'generator'), [
      'noise 64',
      '+ label 74',
      'linear ReLU 7×7×16 58,800 parameters',
      'transposed conv 4×4, stride 2, ReLU 14×14×8 2,056 parameters',
      'transposed conv 4×4, stride 2, tanh 28×28×1 129 parameters',
    ]);
    assert.equal((await wordsOf(page, 'discriminator')).at(-2), 'linear 11 8,635 parameters');
    assert.equal(await page.locator('.network svg:not([aria-hidden])').count(), 0);

    // Written, but not yet entered: the run goes on.
    const channels = page.locator('#setting-gChannels');
    await channels.fill('16');
    await until('16 channels', () => wordsOf(page, 'generator'), (words) => /14×14×16/.test(words[3] ?? ''));
    await untilState(page, 'the same run', ({ settings, step }) => settings === 'preset=quick&seed=1' && step > 20);
    // What can't be is not drawn.
    await channels.fill('many');
    await channels.press('Enter');
    await until('8 channels', () => wordsOf(page, 'generator'), (words) => /14×14×8/.test(words[3] ?? ''));

    await page.locator('#setting-network').selectOption('mlp');
    await until('dense layers', () => wordsOf(page, 'discriminator'), (words) => /^linear leaky ReLU 0.2 512/.test(words[1] ?? ''));
  } finally {
    await page.close();
  }
});

for (const [width, lang] of /** @type {const} */ ([[360, 'zh'], [768, 'en'], [1440, 'zh']])) {
  test(`a deep network fits ${width} px in ${lang}`, async () => {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    try {
      await page.goto(`${site.address}?engine=cpu&lang=${lang}&theme=dark&autostart=0#network=mlp&gWidths=2048,1,2048,1,2048,1&condition=concat`);
      await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
      await page.keyboard.press('e');
      await until('the networks', () => page.locator('.network li').count(), (count) => count > 10);
      await assertFits(page);
      await page.locator('.networks').scrollIntoViewIfNeeded();
      await keepScreen(page, `networks-${width}-${lang}`);
    } finally {
      await page.close();
    }
  });
}
