// The doctor in the page: what breaks is named, a click mends it, what explodes goes back by itself, and a run that is well is
// left alone.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { doctor as words } from '../../www/i18n/zh.js';
import { launchChromium } from './chromium.js';
import { complaintsOf, imagesOf, keepScreen, noticesOf, sleep, stateOf, until, untilState } from './forge-page.js';
import { legibility } from './legibility.js';
import { assertFits } from './layout.js';
import { beforeWorker, siteIn } from './site.js';

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

/** It grows beyond all bounds within a few steps, at a tenth of the rates as well. */
const EXPLODING = 'loss=leastsquares&optimizer=sgd&gRate=1&dRate=1';

/** The rules of the alarms that show. */
const alarms = () => page.locator('details.alarm').evaluateAll((all) => all.map((alarm) => /** @type {HTMLElement} */ (alarm).dataset.rule));

const untilAlarm = (/** @type {string} */ rule) => until(`an alarm, ${rule}`, alarms, (shown) => shown.includes(rule), 60);

/** In percent, how often D prefers a training image in the newest reading. */
const preference = async () => Number((await page.locator('#quality-scores dd').nth(5).innerText()).replace('%', ''));

/** How much the digits of the newest reading differ, beside real ones. */
const variety = async () => Number(await page.locator('#quality-scores dd').nth(3).innerText());

// Of what breaks, what stays broken: break-strong-d mends itself within seconds.
for (const [preset, rule, name] of /** @type {const} */ ([
  ['break-weak-d', 'weak', 'Discriminator too weak'],
  ['break-alike', 'alike', 'All alike within a digit'],
])) {
  test(`${preset} is found, and a click brings the run back`, async (t) => {
    await page.goto(`${site.address}?engine=cpu&lang=en#preset=${preset}`);
    await page.evaluate(() => {
      const told = /** @type {any[]} */ ([]);
      Object.assign(window, { told });
      /** @type {any} */ (window).digitForge.events.addEventListener('alarm', (/** @type {CustomEvent} */ event) => told.push(event.detail));
    });
    await untilAlarm(rule);
    /** @type {{rule: string, step: number}[]} */
    const all = await page.evaluate(() => /** @type {any} */ (window).told);
    const told = all.find((alarm) => alarm.rule === rule);
    // Within 1,000 steps where nothing else keeps the machine busy; `digit-forge diagnose` counts them by the step.
    assert.ok(told && told.step <= 6000, JSON.stringify(all));
    const alarm = page.locator(`details.alarm[data-rule=${rule}]`);
    assert.equal(await alarm.locator('h2').innerText(), name);
// The newest finding is the one that is said.
    if (all.length === 1) assert.match(await page.locator('#alarm-said').innerText(), new RegExp(`^${name}\\. The `));
    const broken = { legible: legibility(await imagesOf(page)), variety: await variety() };
    await assertFits(page);
    await keepScreen(page, `alarm-${rule}`);

    await alarm.locator('.cures button').first().click();
    await untilState(page, 'going back', ({ step, settings }) => step < told.step && settings === `preset=${preset}&dRate=0.002&seed=1`);
    assert.match(page.url(), /dRate=0\.002/);
    await untilState(page, 'training again', ({ step, playing }) => playing && step > 3000, 60);
    const mended = { legible: legibility(await imagesOf(page)), variety: await variety() };
    t.diagnostic(`${JSON.stringify(broken)} → ${JSON.stringify(mended)}`);
    assert.ok(mended.legible > 0.6 && mended.variety > 0.7, JSON.stringify(mended));
    assert.ok(rule === 'weak' ? mended.legible > broken.legible + 0.1 : mended.variety > broken.variety + 0.05, JSON.stringify({ broken, mended }));
    assert.ok(!(await alarms()).includes(rule));
    assert.match(await page.locator('.alarm.note').innerText(), /^Back at step \d+, and on from there\. Discriminator's learning rate: 0\.00/);
  });
}

test('break-small-data is found to learn by heart, and is offered more images', async (t) => {
  await page.goto(`${site.address}?engine=cpu&lang=en#preset=break-small-data`);
  await untilAlarm('memorising');
  const alarm = page.locator('details.alarm[data-rule=memorising]');
  assert.equal(await alarm.locator('h2').innerText(), 'Learning by heart');
  const prefers = await preference();
  t.diagnostic(`${(await stateOf(page))?.step} steps, ${await alarm.locator('.measure').innerText()}; ${prefers}%`);
  assert.ok(prefers > 50, `${prefers}%`);
  const cures = await alarm.locator('.cures button').allInnerTexts();
  assert.equal(cures.length, 3);
  assert.equal(cures[0], 'Train on all images.');
  await assertFits(page);
  await keepScreen(page, 'alarm-memorising');
});

/** To the engine's worker, not the clinic's, the unseen images are missing. */
const withoutUnseen = `{
  let trains = false;
  addEventListener('message', ({ data }) => (trains ||= data.type === 'start'));
  const get = self.fetch;
  self.fetch = (url, ...more) => (trains && /images-test/.test(url) ? Promise.reject(new TypeError('offline')) : get(url, ...more));
}`;

test('where there is nothing unseen to ask about, a run goes on and is read all the same', async () => {
  site.replace(beforeWorker(withoutUnseen));
  try {
    await page.goto(`${site.address}?engine=cpu&lang=en`);
    await untilState(page, 'a stretch', ({ step }) => step > 2500, 60);
    const read = await until('readings', () => page.locator('#quality-scores dd').allInnerTexts(), ([legible]) => /^\d+ of 10$/.test(legible ?? ''));
    assert.equal(read[5], '–');
    assert.deepEqual([await alarms(), await noticesOf(page)], [[], []]);
  } finally {
    site.replace(null);
  }
});

test('a run that explodes goes back once by itself, and says where it broke; then it rests and asks', async () => {
  await page.goto(`${site.address}?engine=cpu&lang=en&autostart=0#${EXPLODING}`);
  await untilState(page, 'the start', ({ phase }) => phase === 'paused');
  /** @param {RegExp} words */
  const untilSaid = (words) => until(String(words), () => page.locator('#alarms').innerText(), (text) => words.test(text));
  const step = page.locator('#step');
  // Step by step, so that both can be seen.
  await until('going back', async () => {
    await step.click();
    return page.locator('.alarm.note.grave').count();
  }, (count) => count === 1);
  await untilSaid(/No numbers any more\. It broke in step \d+, in layer \d+ of the (generator|discriminator)\. The run went back to step 0 by itself, and on from there\. Generator's learning rate: 0\.1; Discriminator's learning rate: 0\.1\./);
  await untilState(page, 'the changed settings', ({ settings }) => settings.includes('gRate=0.1&dRate=0.1'));

  await page.locator('#play').click();
  await untilSaid(/No numbers any more\s+since step \d+[^]*It broke in step \d+, in layer \d+ of the (generator|discriminator)\. The run went back to step 0 and rests there/);
  const rests = await untilState(page, 'resting', ({ phase, wanted }) => phase === 'paused' && !wanted);
  assert.equal(rests.step, 0);
  await keepScreen(page, 'alarm-rests');
  await page.locator('.cures button').first().click();
  await untilState(page, 'going on', ({ settings, playing, step: at }) => playing && at > 30 && settings.includes('gRate=0.01&dRate=0.01'));
  assert.deepEqual(await alarms(), []);
});

test('undo goes back and rests there, with the cures at hand', async () => {
  await page.goto(`${site.address}?engine=cpu&lang=en#preset=break-weak-d`);
  await untilAlarm('weak');
  await page.locator('.alarm .last button').first().click();
  const { step } = await untilState(page, 'resting', ({ phase, wanted, step: at }) => phase === 'paused' && !wanted && at < 500);
  assert.equal(step, 0);
  assert.match(await page.locator('.alarm .extra').innerText(), /^The run went back to step 0 and rests there/);
  await page.locator('.cures button').first().click();
  await untilState(page, 'going on', ({ playing, settings, step: at }) => playing && at > 20 && settings.includes('dRate=0.002'));
});

test('an alarm can be dismissed and isn’t repeated; in Chinese it is Chinese, and it fits a phone', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${site.address}?engine=cpu&lang=zh#preset=break-alike`);
  await untilAlarm('alike');
  const alarm = page.locator('details.alarm[data-rule=alike]');
  assert.equal(await alarm.locator('h2').innerText(), words.rules.alike.label);
  assert.ok(Object.values(words.cures).includes(await alarm.locator('.cures button').first().innerText()));
  assert.match(await alarm.locator('.what').first().innerText(), /：0\.0002 → 0\.002 · 退回第 [\d,]+ 步，从那里继续/);
  await assertFits(page);
  await alarm.scrollIntoViewIfNeeded();
  await keepScreen(page, 'alarm-phone');
  await page.keyboard.press('g');
  assert.equal(await alarm.locator('h2').innerText(), 'All alike within a digit');
  await alarm.locator('.dismiss').focus();
  await page.keyboard.press('Enter');
  assert.ok(!(await alarms()).includes('alike'));
  const { step } = /** @type {{step: number}} */ (await stateOf(page));
  await untilState(page, 'going on', (state) => state.step > step + 600);
  assert.ok(!(await alarms()).includes('alike'));
});

test('quick is left alone, and the clinic comes once it trains', async () => {
  await page.setViewportSize({ width: 700, height: 900 });
  const asked = site.asked.length;
  await page.goto(`${site.address}?engine=cpu&lang=en`);
  await untilState(page, 'its beginning', ({ step }) => step > 5);
  assert.deepEqual(site.asked.slice(asked).filter((path) => /clinic|weights-/.test(path)), []);
  await page.evaluate(() => {
    const prefers = /** @type {number[]} */ ([]);
    Object.assign(window, { prefers });
    /** @type {any} */ (window).digitForge.events.addEventListener('reading', (/** @type {CustomEvent} */ { detail }) => detail.preference !== null && prefers.push(detail.preference));
  });
  await untilState(page, 'a stretch', ({ step }) => step >= 3000, 60);
  assert.ok(site.asked.slice(asked).some((path) => /clinic.*\.wasm$/.test(path)));
  assert.equal(await page.locator('#alarms > *').count(), 0);
  // It was asked whether it learns by heart, too.
  /** @type {number[]} */
  const prefers = await page.evaluate(() => /** @type {any} */ (window).prefers);
  assert.ok(prefers.length > 0 && prefers.every((share) => share > 0.4 && share < 0.6), prefers.join(' '));
});

test('with doctor=off nobody looks after a run, and a notice says that it is lost', async () => {
  // So narrow that nobody looks at the meters, either.
  await page.setViewportSize({ width: 700, height: 900 });
  await page.goto(`${site.address}?engine=cpu&lang=en&doctor=off#${EXPLODING}`);
  const asked = site.asked.length;
  await until('the notice', () => noticesOf(page), (notices) => notices.some((text) => /a loss stopped being a finite number/.test(text)));
  await sleep(1500);
  assert.equal(await page.locator('#alarms > *').count(), 0);
  assert.deepEqual(site.asked.slice(asked).filter((path) => /clinic|weights-/.test(path)), []);
});

test('in an embed a notice says it, with the reason and the first cure', async () => {
  await page.goto(`${site.address}?embed=1&engine=cpu&lang=en#preset=break-weak-d`);
  await until('the notice', () => noticesOf(page), (notices) => notices.some((text) => /^Discriminator too weak\. The discriminator .+\. Let the discriminator learn half as fast/.test(text)), 60);
  await assertFits(page);
  await keepScreen(page, 'alarm-embed');
  await page.getByRole('button', { name: 'Apply' }).click();
  await untilState(page, 'going back', ({ settings, step }) => settings.includes('dRate=0.002') && step < 600);
});
