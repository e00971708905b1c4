// What the judge reads: meters that follow the training and cost next to nothing, and a full report.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { launchChromium } from './chromium.js';
import { complaintsOf, keepScreen, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

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
  assert.deepEqual(complaints, []);
});

/** The meters' values, in their order. */
const values = () => page.locator('#quality-scores dd').allInnerTexts();
const cost = () => page.locator('#quality-cost').innerText();

/** @param {string | undefined} text */
const percent = (text) => Number(/^([\d.]+)%$/.exec(text ?? '')?.[1] ?? NaN);

test('the meters show digits becoming legible, and take less than 5 % of the time', async (t) => {
  await page.goto(`${site.address}?engine=cpu&lang=en`);
  const first = await until('a reading', values, ([, agreement]) => percent(agreement) >= 0, 60);
  const good = await until('legible digits', values, ([, agreement]) => percent(agreement) >= 85, 90);
  t.diagnostic(`${first.join(' | ')} → ${good.join(' | ')}`);
  assert.match(good[0] ?? '', /^\d+ of 10$/);
  // What D prefers is asked seldom, and once all images are there.
  await until('every meter', values, (all) => all.slice(2).every((value) => value !== '–'), 30);
  // The digits read, each with its share and its own agreement.
  const bars = await page.locator('.bars li').evaluateAll((all) => all.map((bar) => /** @type {HTMLElement} */ (bar).title));
  assert.equal(bars.length, 10);
  assert.ok(bars.every((title, digit) => new RegExp(`^${digit}: \\d+% of the images, \\d+% as asked for$`).test(title)), bars.join('; '));
  // Each says the same to those who can't see it, and so does a table of the curve.
  const named = await page.locator('.bars').getByRole('img').evaluateAll((all) => all.map((bar) => bar.ariaLabel ?? ''));
  assert.equal(named.length, 10);
  assert.ok(named.every((name, digit) => new RegExp(`^${digit}: \\d+% of the images, \\d+% as asked for$`).test(name)), named.join('; '));
  await page.locator('#quality-distance summary').click();
  const lines = await until('lines of the table', () => page.locator('#quality-distance tr').allInnerTexts(), ({ length }) => length > 2);
  assert.equal(lines[0], 'Step\tFD\tFloor');
  assert.ok(lines.slice(1).every((line) => /^[\d,]+\t[\d.,]+\t[\d.]+$/.test(line)), lines.join('; '));
  assert.equal(await page.locator('#quality-distance caption').innerText(), 'Distance from real digits, as numbers');
  assert.match(await page.locator('.distance .now').innerText(), /^FD [\d.,]+, floor [\d.]+$/);
  // In a run's first second one slow sample is many per cent of it.
  const share = (/** @type {string} */ text) => Number(/([\d.]+)% of the training/.exec(text)?.[1]);
  t.diagnostic(await until('a small cost', cost, (text) => share(text) > 0 && share(text) < 5, 15));
  await assertFits(page);
  await keepScreen(page, 'quality');
});

test('a full report reads 6,000 images of one step, beside real ones, and can be cancelled', async () => {
  await page.goto(`${site.address}?engine=cpu&lang=en`);
  await untilState(page, 'some digits', ({ step }) => step > 1500, 60);
  const button = page.locator('#report button');
  const said = () => page.locator('#report .hint').innerText();
  await button.click();
  assert.equal(await button.innerText(), 'Cancel');
  await button.click();
  assert.equal(await said(), 'The report was cancelled.');
  assert.equal(await page.locator('#report table').count(), 0);

  await button.click();
  await until('the report', () => page.locator('#report table').count(), (count) => count === 3, 90);
  await until('its end', () => button.innerText(), (text) => text === 'Full report on 6,000 images', 90);
  const rows = await page.locator('#report .tables > :first-child tr').allInnerTexts();
  const cells = rows.map((row) => row.split('\t'));
  assert.deepEqual(cells[0], ['Digit', 'Precision', 'Recall', 'F1', 'Support', 'F1 of real test images']);
  assert.equal(cells.length, 14);
  for (const [digit, ...scores] of cells.slice(1, 11)) {
    assert.equal(scores[3], '600', `digit ${digit}`);
    assert.ok(Number(scores[2]) > 0.5 && Number(scores[4]) > 0.98, `digit ${digit}: ${scores.join(' ')}`);
  }
  assert.equal(cells[12]?.[0], 'Macro average');
  assert.equal(cells[12]?.[4], '6,000');
  const confusion = await page.locator('#report .confusion td').allInnerTexts();
  assert.equal(confusion.reduce((sum, text) => sum + Number(text.replaceAll(',', '')), 0), 6000);
  const distances = await page.locator('#report .tables > :last-child tr').allInnerTexts();
  assert.equal(distances.length, 7);
  assert.match(distances[2] ?? '', /^KID\t-?[\d.]+ ± [\d.]+\t-?[\d.]+ ± [\d.]+$/);
  await assertFits(page);
  await keepScreen(page, 'report');

  // On a phone no head breaks within a Chinese word, and nothing scrolls sideways.
  await page.setViewportSize({ width: 360, height: 740 });
  await page.keyboard.press('g');
  const lines = await page.locator('#report .tables > :first-child th[scope=col]').evaluateAll((all) => all.map((head) => {
    const range = document.createRange();
    range.selectNodeContents(head);
    return `${head.textContent.length}: ${range.getClientRects().length}`;
  }));
  assert.deepEqual(lines, ['2: 1', '3: 1', '3: 1', '2: 1', '3: 1', '11: 2']);
  assert.equal(await page.locator('#report .scroll').first().evaluate(({ clientWidth, scrollWidth }) => scrollWidth - clientWidth), 0);
});

test('while a report measures neighbours readings go on, and cancelling ends it at once', async (t) => {
  await page.goto(`${site.address}?engine=cpu&lang=en`);
  await untilState(page, 'some digits', ({ step }) => step > 1000, 60);
  await until('a reading', cost, (text) => /^400 images at step/.test(text), 60);
  const button = page.locator('#report button');
  await page.evaluate(() => {
    const place = /** @type {HTMLElement} */ (document.querySelector('#report .hint'));
    const said = /** @type {string[]} */ ([]);
    const read = /** @type {(string | null)[]} */ ([]);
    Object.assign(window, { said, read });
    new MutationObserver(() => said.push(place.textContent ?? '')).observe(place, { childList: true, characterData: true, subtree: true });
    /** @type {any} */ (window).digitForge.events.addEventListener('reading', () => read.push(place.textContent));
  });
  const workers = page.workers().length;
  await button.click();
  /** @type {() => Promise<{said: string[], read: string[]}>} */
  const seen = () => page.evaluate(() => ({ said: /** @type {any} */ (window).said, read: /** @type {any} */ (window).read }));
  const { said, read } = await until('a reading meanwhile', seen, (all) => all.read.includes('Measuring neighbours…'), 60);
  t.diagnostic(`${said.length} words; readings while it said ${[...new Set(read)].join(', ')}`);
  // Drawn in parts, and read in parts.
  for (const words of [/^Drawing (.+) of 6,000$/, /^Read (.+) of 6,000$/]) {
    const counts = said.flatMap((text) => words.exec(text)?.[1] ?? []).map((count) => Number(count.replace(',', '')));
    assert.ok(new Set(counts).size >= 5 && counts.every((count, k) => k === 0 || count >= Number(counts[k - 1])), counts.join(' '));
  }
  assert.equal(page.workers().length, workers + 1);
  const after = await page.evaluate(() => {
    /** @type {HTMLElement} */ (document.querySelector('#report button')).click();
    return document.querySelector('#report .hint')?.textContent;
  });
  assert.equal(after, 'The report was cancelled.');
  assert.equal(await page.locator('#report').getByRole('status').innerText(), 'The report was cancelled.');
  // Chromium gives a worker two seconds to end by itself.
  await until('its worker’s end', async () => page.workers().length, (count) => count === workers, 10);
  assert.equal(await button.innerText(), 'Full report on 6,000 images');
  // What was known by then stays.
  assert.equal(await page.locator('#report table').count(), 3);
});

test('without labels there is a histogram and no report; in Chinese it is Chinese, and it fits a phone', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${site.address}?engine=cpu&lang=zh#condition=none`);
  await untilState(page, 'training', ({ step }) => step > 300, 60);
  // On a phone it is closed until somebody asks.
  assert.ok(!(await page.locator('#quality-body').isVisible()));
  await page.keyboard.press('q');
  await until('a reading', cost, (text) => /400 幅图像/.test(text), 60);
  assert.equal((await values())[1], '–');
  await page.locator('#report button').click();
  await until('the report', () => page.locator('#report table').count(), (count) => count === 2, 90);
  assert.match(await page.locator('#report caption').first().innerText(), /^没有要求画哪个数字.*奈特。$/);
  await until('its end', () => page.locator('#report progress').isHidden(), Boolean, 90);
  await assertFits(page);
  await keepScreen(page, 'report-phone');
});

test('what can’t be fetched is said, and can be tried again', async () => {
  await page.route('**/*.safetensors', (route) => route.abort());
  await page.goto(`${site.address}?engine=cpu&lang=en`);
  await until('the failure', cost, (text) => /^The judge could not be fetched: /.test(text), 60);
  assert.ok(complaints.length > 0);
  complaints.length = 0;
  await page.unroute('**/*.safetensors');
  await page.locator('#quality-cost button').click();
  await until('a reading', cost, (text) => /^400 images at step/.test(text), 60);
});
