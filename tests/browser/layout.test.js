// The page at every width, in both themes and both languages; screenshots are kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { keepScreen, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);

for (const width of [360, 768, 1440]) {
  for (const lang of ['en', 'zh']) {
    test(`at ${width} px in ${lang} nothing overlaps or sticks out, light or dark, settings open or closed`, async () => {
      const page = await browser.newPage({ viewport: { width, height: width < 600 ? 780 : 1000 } });
      try {
        await page.goto(`${site.address}?engine=cpu&lang=${lang}&theme=light#foo=1`);
        await untilState(page, 'training', ({ step }) => step > 150);
        await page.keyboard.press('Space');
        await untilState(page, 'a pause', ({ phase }) => phase === 'paused');
        // With a notice, which may be long.
        await assertFits(page);
        await page.locator('.notice .dismiss').click();
        await assertFits(page);
        await keepScreen(page, `${width}-${lang}-light`);
        await page.locator('#theme').click();
        await until('the dark theme', () => page.locator('html').getAttribute('data-theme'), (theme) => theme === 'dark');
        await assertFits(page);
        await keepScreen(page, `${width}-${lang}-dark`);
        await page.keyboard.press('e');
        await assertFits(page);
        await keepScreen(page, `${width}-${lang}-settings`);
        await page.keyboard.press('e');
        await page.keyboard.press('?');
        await page.locator('#help').waitFor();
        await keepScreen(page, `${width}-${lang}-keys`);
      } finally {
        await page.close();
      }
    });
  }
}

for (const [width, height] of /** @type {const} */ ([[1280, 720], [1440, 900]])) {
  test(`at ${width} × ${height} the digits and all controls are in view, whatever the preset is called, with D’s wishes too`, async () => {
    const page = await browser.newPage({ viewport: { width, height } });
    try {
      for (const lang of ['en', 'zh']) {
        await page.goto('about:blank');
        await page.goto(`${site.address}?engine=cpu&autostart=0&lang=${lang}#preset=break-strong-d&batch=8`);
        await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
        const bottom = () => page.locator('#controls').evaluate((element) => element.getBoundingClientRect().bottom);
        assert.ok((await bottom()) <= height, `${lang}: down to ${await bottom()}`);
        // As wide as it likes to be, beside the other buttons.
        const preset = page.locator('#preset');
        const box = await preset.boundingBox();
        const free = await preset.evaluate((element) => {
          const copy = /** @type {HTMLSelectElement} */ (element.cloneNode(true));
          copy.value = /** @type {HTMLSelectElement} */ (element).value;
          Object.assign(copy.style, { position: 'absolute', maxWidth: 'none' });
          element.after(copy);
          const { width: all } = copy.getBoundingClientRect();
          copy.remove();
          return all;
        });
        const play = await page.locator('#play').boundingBox();
        assert.ok(box && play && box.width >= free - 1 && box.y < play.y + play.height, `${lang}: ${JSON.stringify(box)}, ${free}`);
        await page.keyboard.press('i');
        await page.locator('#wishes').waitFor();
        await until('room for the words', bottom, (at) => at <= height, 5);
        assert.ok(((await page.locator('#canvas').boundingBox())?.width ?? 0) > 400);
        await assertFits(page);
      }
    } finally {
      await page.close();
    }
  });
}

test('the theme and the language change at once, and are remembered', async () => {
  const page = await browser.newPage({ colorScheme: 'light' });
  try {
    await page.goto(site.address + '?engine=cpu&autostart=0&lang=en');
    await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    /** The grid's ground, from the canvas itself. */
    const ground = async () => (await page.locator('#canvas canvas').screenshot()).toString('base64');
    const [light, lightGround] = [await paper(), await ground()];
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    assert.notEqual(await paper(), light);
    await until('the canvas in the dark', ground, (now) => now !== lightGround);

    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    await page.keyboard.press('g');
    assert.match((await page.locator('html').getAttribute('lang')) ?? '', /^zh/);
    assert.equal(await page.locator('#step').innerText(), '单步');
    assert.ok(!page.url().includes('lang=en'));
    await page.reload();
    await until('Chinese again', () => page.locator('html').getAttribute('lang'), (lang) => lang.startsWith('zh'));
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    // No word is left in English.
    const words = await page.locator('[data-t]:visible, .readouts dd').allInnerTexts();
    const english = words.filter((word) => /[A-Za-z]{4,}/.test(word.replace(/Digit Forge|WebGPU|WebAssembly SIMD|English|MNIST|Adam|Yann LeCun|Corinna Cortes|Christopher|Burges|Ian Goodfellow/g, '')));
    assert.deepEqual(english, []);
  } finally {
    await page.close();
  }
});

test('the theme follows the system where nobody chose', async () => {
  const page = await browser.newPage({ colorScheme: 'dark' });
  try {
    await page.goto(site.address + '?engine=cpu&autostart=0');
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await page.emulateMedia({ colorScheme: 'light' });
    assert.notEqual(await paper(), dark);
  } finally {
    await page.close();
  }
});

test('a live region tells those who listen of start, pause and progress, sparingly', async () => {
  const page = await browser.newPage();
  try {
    await page.addInitScript(() => {
      const said = /** @type {string[]} */ ([]);
      Object.assign(window, { said });
      addEventListener('DOMContentLoaded', () => {
        const live = /** @type {HTMLElement} */ (document.querySelector('[aria-live="polite"]'));
        new MutationObserver(() => said.push(live.textContent)).observe(live, { childList: true, characterData: true, subtree: true });
      });
    });
    await page.goto(site.address + '?engine=cpu&lang=en');
    await untilState(page, 'training', ({ step }) => step > 50);
    const said = () => page.evaluate(() => /** @type {string[]} */ (/** @type {any} */ (window).said));
    await until('progress', said, (all) => all.some((text) => /discriminator takes real digits/.test(text)));
    await page.keyboard.press('Space');
    const all = await until('the pause', said, (texts) => /^Paused at step [\d,]+/.test(texts.at(-1) ?? ''));
    assert.ok(all.includes('Training'), all.join('\n'));
    assert.ok(all.length < 10, `${all.length} announcements in a few seconds:\n${all.join('\n')}`);
  } finally {
    await page.close();
  }
});

test('with reduced motion nothing moves but the digits', async () => {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  try {
    await page.goto(site.address + '?engine=cpu');
    await untilState(page, 'training', ({ step }) => step > 20);
    const moving = () => page.evaluate(() => document.getAnimations().filter(({ effect, playState }) => playState === 'running' && Number(effect?.getComputedTiming().duration) > 50).length);
    await page.keyboard.press('e');
    await page.keyboard.press('t');
    assert.equal(await moving(), 0);
  } finally {
    await page.close();
  }
});
