// "Fooling the judge": nothing of it before it is opened, digits under attack, the curve, and a judge taught in the page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { complaintsOf, keepScreen, stateOf, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);
const OURS = /section-/;

/** @param {number} width @param {string} query */
async function open(width, query) {
  const page = await browser.newPage({ viewport: { width, height: width < 600 ? 780 : 900 } });
  const complaints = complaintsOf(page);
  await page.goto(`${site.address}?engine=cpu&${query}`);
  return { page, complaints };
}

/** Shares of a line of the curve, from its table. @param {import('playwright-core').Page} page @param {number} column */
const shares = (page, column) =>
  page.locator('#fooling .numbers').first().evaluate((details, column) =>
    [.../** @type {HTMLElement} */ (details).querySelectorAll('tr')].slice(1).map((row) => Number.parseFloat(row.children[column]?.textContent ?? '')), column);

/** @param {import('playwright-core').Page} page @param {number} column */
const wholeCurve = (page, column) => until('the curve', () => shares(page, column), (found) => found.length === 11 && found.every(Number.isFinite), 60);

/** The pictures shown. @param {import('playwright-core').Page} page */
const pictures = (page) => page.locator('#fooling .thumb span').evaluateAll((all) => all.map((ink) => /** @type {HTMLElement} */ (ink).style.maskImage));

test('digits are attacked as far as one likes, fewer are read right, and a judge taught here can take the page’s place', async () => {
  const { page, complaints } = await open(1280, 'lang=en&theme=light#gChannels=4&dChannels=4');
  try {
    await untilState(page, 'training', ({ step }) => step > 50, 60);
    assert.deepEqual(site.asked.filter((path) => OURS.test(path)), []);
    assert.equal(await page.locator('#fooling').isVisible(), false);
    await page.getByRole('button', { name: 'Judge', exact: true }).click();
    const tally = page.locator('#fooling .tally').first();
    await until('the digits', () => pictures(page), (all) => all.length === 20);
    assert.equal(await page.locator('#judge-toggle').getAttribute('aria-expanded'), 'true');
    assert.match(await page.locator('#fooling .note').innerText(), /fast gradient sign method \(Goodfellow.*2015\)/);
    assert.equal(await tally.innerText(), '20 of 20 are read right.');

    const untouched = await pictures(page);
    const slider = page.locator('#fooling-strength');
    await slider.fill('0.3');
    await until('the attack', () => tally.innerText(), (text) => Number.parseInt(text, 10) < 10);
    assert.ok((await pictures(page)).every((picture, k) => picture !== untouched[k]));
    const wrong = await page.locator('#fooling li.wrong').allInnerTexts();
    assert.ok(wrong.length > 10 && wrong.every((text) => /^\d → \d\s+wrong$/.test(text)), wrong.join());
    // At 0 nothing is changed.
    await slider.fill('0');
    await until('the digits as they are', () => tally.innerText(), (text) => text === '20 of 20 are read right.');
    assert.deepEqual(await pictures(page), untouched);

    const pinned = await wholeCurve(page, 1);
    assert.ok(pinned.every((share, k) => k === 0 || share < (pinned[k - 1] ?? 0)), pinned.join());
    assert.ok((pinned[0] ?? 0) > 99 && (pinned[10] ?? 100) < 30, pinned.join());

    const before = await stateOf(page);
    const lesson = page.locator('#fooling .tally').nth(1);
    const read = async () => Number(/([\d.]+)% read right/.exec(await lesson.innerText())?.[1] ?? 0);
    await page.getByRole('button', { name: 'Teach', exact: true }).click();
    await until('a good judge', read, (share) => share > 90, 60);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('button', { name: 'Go on', exact: true }).waitFor();
    const rested = await lesson.innerText();
    assert.match(rested, /Step \d+ of 600 .* steps a second/);
    await page.getByRole('button', { name: 'Fool this judge' }).click();
    const taught = await wholeCurve(page, 2);
    assert.ok((taught[0] ?? 0) > 85 && (taught[10] ?? 100) < 30, taught.join());
    assert.deepEqual(await shares(page, 1), pinned);
    assert.equal(await lesson.innerText(), rested);
    await page.getByRole('button', { name: 'Back to the page’s judge' }).press('Enter');
    await until('its readings', () => tally.innerText(), (text) => text === '20 of 20 are read right.');
    await page.locator('#fooling-back').waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'fooling-use');
    // The run has gone on meanwhile.
    const after = await stateOf(page);
    assert.ok(before && after && after.phase === 'playing' && after.step > before.step + 20);
    assert.deepEqual(complaints, []);

    await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
    await page.keyboard.press('j');
    assert.equal(await page.locator('#fooling').isVisible(), false);
  } finally {
    await page.close();
  }
});

test('what is missing is named, and can be tried again', async () => {
  site.replace((path) => (/-test\.bin$/.test(path) ? 404 : undefined));
  const { page } = await open(1280, 'lang=en&autostart=0');
  try {
    await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
    await page.keyboard.press('j');
    await until('the fault', () => page.locator('#fooling .problem').innerText(), (text) => /-test\.bin: HTTP 404/.test(text));
    site.replace(null);
    await page.locator('#fooling').getByRole('button', { name: 'Try again' }).click();
    await until('the digits', () => pictures(page), (all) => all.length === 20);
  } finally {
    site.replace(null);
    await page.close();
  }
});

for (const [width, lang, theme] of /** @type {const} */ ([[1440, 'zh', 'light'], [1440, 'en', 'dark'], [360, 'en', 'light'], [360, 'zh', 'dark']])) {
  test(`at ${width} px, ${theme}, in ${lang}, the section fits`, async () => {
    const { page } = await open(width, `lang=${lang}&theme=${theme}&autostart=0`);
    try {
      await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
      await page.keyboard.press('j');
      await until('the digits', () => pictures(page), (all) => all.length === 20);
      await page.locator('#fooling-strength').fill('0.15');
      await page.locator('#fooling-teach').click();
      await wholeCurve(page, 1);
      await until('a lesson', () => page.locator('#fooling .tally').nth(1).innerText(), (text) => /\d/.test(text));
      await page.locator('#fooling-teach').click();
      await page.locator('#fooling-use').click();
      await until('the other judge', () => page.locator('#fooling-back').isVisible(), Boolean);
      await wholeCurve(page, 2);
      await assertFits(page);
      await page.locator('#fooling').scrollIntoViewIfNeeded();
      await keepScreen(page, `${width}-${lang}-${theme}-fooling`);
    } finally {
      await page.close();
    }
  });
}
