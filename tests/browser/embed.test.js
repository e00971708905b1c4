// The page inside other pages: the element, the article with two of them, and a small frame.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { launchChromium } from './chromium.js';
import { complaintsOf, imagesOf, keepScreen, noticesOf, stateOf, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);
/** @type {import('playwright-core').Page} */
let page;

beforeEach(async () => void (page = await browser.newPage({ viewport: { width: 1000, height: 800 } })));
afterEach(() => page.close());

/** @param {number} k */
async function frameOf(k) {
  const handle = await page.locator('digit-forge iframe').nth(k).elementHandle();
  const frame = await handle?.contentFrame();
  assert.ok(frame, `element ${k} holds a frame`);
  return frame;
}

test('an article with two elements: each trains while it is seen, and rests when it isn’t', async () => {
  const complaints = complaintsOf(page);
  await page.goto(site.address + 'example.html');
  const elements = page.locator('digit-forge');
  assert.equal(await elements.count(), 2);

  await elements.nth(0).scrollIntoViewIfNeeded();
  const first = await frameOf(0);
  await untilState(first, 'the first training', ({ playing, step }) => playing && step > 20);

  await elements.nth(1).evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const second = await frameOf(1);
  const { settings } = await untilState(second, 'the second training', ({ playing, step }) => playing && step > 20);
  assert.equal(settings, 'preset=quick&network=mlp&seed=1');
  const resting = await untilState(first, 'the first resting', ({ phase }) => phase === 'paused');
  assert.equal(resting.wanted, true);

  await elements.nth(0).evaluate((element) => element.scrollIntoView({ block: 'center' }));
  await untilState(first, 'the first going on', ({ playing, step }) => playing && step > resting.step);
  await untilState(second, 'the second resting', ({ phase }) => phase === 'paused');
  assert.equal((await imagesOf(second)).length, 80 * 28 * 28);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await keepScreen(page, 'article');
  assert.deepEqual(complaints, []);
});

test('the element tells its page of ready, step and pause, and obeys it', async () => {
  await page.goto(site.address + 'example.html');
  await page.evaluate(() => {
    const heard = /** @type {any[]} */ ([]);
    Object.assign(window, { heard });
    const element = document.createElement('digit-forge');
    for (const [name, value] of Object.entries({ preset: 'quick', settings: 'batch=8', autostart: '0', engine: 'cpu' })) element.setAttribute(name, value);
    for (const name of ['ready', 'step', 'playing', 'paused', 'error']) {
      element.addEventListener(name, (event) => heard.push([name, /** @type {CustomEvent} */ (event).detail.step]));
    }
    document.querySelectorAll('digit-forge').forEach((old) => old.remove());
    document.body.prepend(element);
    scrollTo(0, 0);
  });
  /** @param {string} name */
  const untilHeard = (name) => until(name, () => page.evaluate(() => /** @type {any} */ (window).heard), (heard) => heard.some((/** @type {any[]} */ [told]) => told === name));
  /** @param {'play'|'pause'|'step'|'set'} method @param {string} [argument] */
  const tell = (method, argument) =>
    page.evaluate(([name, value]) => /** @type {any} */ (document.querySelector('digit-forge'))[name ?? ''](value), [method, argument]);
  await untilHeard('ready');
  const frame = await frameOf(0);
  assert.deepEqual([(await stateOf(frame))?.step, (await stateOf(frame))?.settings], [0, 'preset=quick&batch=8&seed=1']);
  await tell('step');
  await untilState(frame, 'one step', ({ step }) => step === 1);
  await untilHeard('step');
  await tell('play');
  await untilHeard('playing');
  await untilState(frame, 'training', ({ step }) => step > 10);
  await tell('pause');
  await untilState(frame, 'a pause', ({ phase }) => phase === 'paused');
  await tell('set', 'preset=quick&batch=32&wings=2');
  await untilState(frame, 'other settings', ({ settings }) => settings === 'preset=quick&batch=32&seed=1');
  await untilHeard('error');
});

test('an attribute of the element that changes is taken over by the open page', async () => {
  await page.goto(site.address + 'example.html');
  const element = page.locator('digit-forge').first();
  await element.scrollIntoViewIfNeeded();
  const frame = await frameOf(0);
  const { step } = await untilState(frame, 'training', (state) => state.step > 300);
  const steps = await page.evaluate(() => history.length);
  for (const [name, value] of [['theme', 'dark'], ['lang', 'zh'], ['view', 'both']]) {
    await element.evaluate((it, [name = '', value = '']) => it.setAttribute(name, value), [name, value]);
  }
  await until('the theme', () => frame.evaluate(() => document.documentElement.dataset.theme), (theme) => theme === 'dark');
  assert.equal(await frame.evaluate(() => document.documentElement.lang), 'zh-Hans');
  await until('both views', () => frame.locator('#raw canvas').last().isVisible(), Boolean);
  assert.ok(((await stateOf(frame))?.step ?? 0) > step, 'the run goes on');
  assert.match((await frame.locator('#open').getAttribute('href')) ?? '', /#preset=quick&seed=1&view=both$/);

  await element.evaluate((it) => it.setAttribute('settings', 'batch=8'));
  await untilState(frame, 'other settings', ({ settings }) => settings === 'preset=quick&batch=8&seed=1');
  assert.ok(await frame.locator('#raw canvas').last().isVisible(), 'the view stays');
  assert.equal(await frameOf(0), frame);
  await element.evaluate((it) => it.removeAttribute('theme'));
  await until('the usual theme', () => frame.evaluate(() => document.documentElement.dataset.theme), (theme) => theme === 'auto');
  assert.equal(await frameOf(0), frame);
  // The browser's language comes with another frame.
  await element.evaluate((it) => it.removeAttribute('lang'));
  const other = await frameOf(0);
  await untilState(other, 'a new page', ({ settings }) => settings === 'preset=quick&batch=8&seed=1');
  assert.equal(await other.evaluate(() => document.documentElement.dataset.theme), 'auto');
  assert.equal(await page.evaluate(() => history.length), steps);
});

test('a notice hides nothing: it stands below the controls, others wait behind it, and the element grows and shrinks', async () => {
  await page.goto(site.address + 'example.html');
  await page.evaluate(() => {
    const element = document.createElement('digit-forge');
    for (const [name, value] of Object.entries({ preset: 'quikc', settings: 'batch=abc&lr=0.1', autostart: '0', engine: 'cpu', lang: 'en' })) element.setAttribute(name, value);
    element.style.width = '340px';
    document.body.replaceChildren(element);
  });
  const frame = await frameOf(0);
  await untilState(frame, 'the grid', ({ phase }) => phase === 'paused');
  const shown = () => frame.locator('.notice:visible').allInnerTexts();
  const size = () => frame.evaluate(() => ({ inner: innerHeight, all: document.documentElement.scrollHeight, noticed: document.getElementById('notices')?.offsetHeight ?? 0 }));
  const fits = async () => (await until('a frame as high as what it shows', size, ({ inner, all, noticed }) => inner === all && Math.abs(inner - 380 - noticed) < 12)).inner;
  assert.equal((await noticesOf(frame)).length, 3);
  for (const [at, rest] of /** @type {const} */ ([['preset', '2 more'], ['batch', '1 more'], ['lr', '']])) {
    const [notice = '', ...others] = await shown();
    assert.deepEqual([others.length, notice.includes(`“${at} =`)], [0, true], notice);
    assert.ok(notice.includes(rest) && (rest || !notice.includes('more')), notice);
    await fits();
    const top = await frame.locator('.notice:visible').evaluate((element) => element.getBoundingClientRect().top);
    assert.ok(top >= (await frame.locator('#controls').evaluate((element) => element.getBoundingClientRect().bottom)), `${at}: at ${top}`);
    await frame.locator('.notice:visible .dismiss').click();
  }
  assert.deepEqual(await shown(), []);
  await fits();

  await page.evaluate(() => frames[0]?.postMessage({ type: 'digit-forge', command: 'fly' }, '*'));
  const [refusal = ''] = await until('the refusal', shown, ({ length }) => length > 0);
  assert.match(refusal, /its command is "fly", and one of play, pause, step, restart, set is expected/);
  await frame.locator('body').press('g');
  assert.match((await shown())[0] ?? '', /命令是 "fly"，应为 play, pause, step, restart, set 之一/);
});

for (const [width, height] of /** @type {const} */ ([[280, 400], [360, 640], [800, 300]])) {
  test(`a frame of ${width} × ${height} shows the grid and the controls, and nothing sticks out`, async () => {
    await page.setViewportSize({ width, height });
    await page.goto(site.address + 'index.html?embed=1&engine=cpu&lang=en&theme=light');
    await untilState(page, 'training', ({ step }) => step > 20);
    await assertFits(page);
    for (const id of ['#canvas canvas', '#play', '#step', '#restart', '#seed', '#open']) {
      const box = await page.locator(id).boundingBox();
      assert.ok(box && box.width > 0 && box.x >= 0 && box.x + box.width <= width && box.y >= 0 && box.y + box.height <= height, `${id}: ${JSON.stringify(box)}`);
    }
    for (const id of ['.masthead', '.figures', '.story', '.credits']) assert.equal(await page.locator(id).isVisible(), false, id);
    await keepScreen(page, `embed-${width}x${height}`);
  });
}
