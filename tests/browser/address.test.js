// The address: it brings settings, follows the controls, and what is wrong in it is said.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { launchChromium } from './chromium.js';
import { noticesOf, sleep, stateOf, until, untilState } from './forge-page.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);
/** @type {import('playwright-core').Page} */
let page;

beforeEach(async () => void (page = await browser.newPage()));
afterEach(() => page.close());

/** @param {string} text */
const untilSettings = (text) => untilState(page, text, ({ settings, ready }) => ready && settings === text);

const hash = () => new URL(page.url()).hash;

test('settings in the address are restored, and the controls show them', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#preset=primer-case&batch=32&seed=7');
  await untilSettings('preset=primer-case&batch=32&seed=7');
  await untilState(page, 'training', ({ step, engine }) => step > 2 && engine === 'cpu');
  assert.deepEqual(await noticesOf(page), []);
  assert.equal(await page.locator('#preset').inputValue(), 'primer-case');
  await page.locator('#settings-toggle').click();
  const shown = await Promise.all(['batch', 'seed', 'images', 'network', 'noise'].map((key) => page.locator(`#setting-${key}`).inputValue()));
  assert.deepEqual(shown, ['32', '7', '1000', 'mlp', '256']);
  const changed = page.locator('.field.changed');
  assert.deepEqual(await changed.evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key'))), ['batch', 'seed']);
});

test('where a loss gives scores instead of probabilities, the chart says so', async () => {
  const title = page.locator('#opinion h2');
  await page.goto(site.address + '?engine=cpu&lang=en#preset=wgan-gp&seed=1');
  await untilState(page, 'training', ({ step }) => step > 5);
  assert.equal(await title.textContent(), 'The discriminator’s score');
  await page.locator('#settings-toggle').click();
  await page.locator('#setting-loss').selectOption('minimax');
  await untilSettings('preset=wgan-gp&loss=minimax&seed=1');
  await until('the chart of probabilities', () => title.textContent(), (text) => text === 'The discriminator’s opinion');
});

test('settings that no networks can be built of are no fault of the engine', async () => {
  const drawing = await launchChromium({ presents: true });
  try {
    for (const engine of ['cpu', 'gpu']) {
      const tab = await drawing.newPage();
      await tab.goto(site.address + `?engine=${engine}&lang=en#gChannels=1&dChannels=1&pack=3`);
      const said = await until('the notice', () => noticesOf(tab), (notices) => notices.length > 0);
      assert.match(said.join(' '), /These settings can’t be trained.*whole packs/);
      await tab.locator('#settings-toggle').click();
      await tab.locator('#setting-pack').fill('2');
      await tab.locator('#setting-pack').press('Enter');
      await untilState(tab, `training on the ${engine}`, (state) => state.step > 1 && state.engine === engine);
      await tab.close();
    }
  } finally {
    await drawing.close();
  }
});

test('a control changes the run and the address, and a reload brings both back', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en');
  await untilSettings('preset=quick&seed=1');
  assert.equal(hash(), '#preset=quick&seed=1');
  await page.locator('#settings-toggle').click();
  const batch = page.locator('#setting-batch');
  await batch.fill('24');
  await batch.press('Enter');
  await untilSettings('preset=quick&batch=24&seed=1');
  assert.equal(hash(), '#preset=quick&batch=24&seed=1');
  await page.locator('#setting-condition').selectOption('concat');
  await untilSettings('preset=quick&batch=24&condition=concat&seed=1');
  await untilState(page, 'training', ({ step }) => step > 5);
  await page.reload();
  await untilSettings('preset=quick&batch=24&condition=concat&seed=1');
  await page.locator('#preset').selectOption('primer-tf');
  await untilSettings('preset=primer-tf&seed=1');
  assert.equal(hash(), '#preset=primer-tf&seed=1');
});

test('a learning rate changes in the midst of the run', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en');
  const { step } = await untilState(page, 'training', (state) => state.step > 50);
  await page.locator('#settings-toggle').click();
  await page.locator('#setting-gRate').fill('0.001');
  await page.locator('#setting-gRate').press('Enter');
  await untilSettings('preset=quick&gRate=0.001&seed=1');
  assert.ok(((await stateOf(page))?.step ?? 0) > step, 'the run goes on');
});

test('another hash in an open page is another run', async () => {
  await page.goto(site.address + '?engine=cpu#batch=8');
  await untilSettings('preset=quick&batch=8&seed=1');
  await page.evaluate(() => void (location.hash = '#batch=12&seed=3'));
  await untilSettings('preset=quick&batch=12&seed=3');
});

/** Long enough for a restart to show. @param {() => Promise<unknown>} act */
async function assertGoesOn(act) {
  const { step } = await untilState(page, 'training', (state) => state.step > 300);
  await act();
  await sleep(300);
  assert.ok(((await stateOf(page))?.step ?? 0) > step, 'the run goes on');
  assert.deepEqual(await noticesOf(page), []);
}

test('the way to the controls moves the focus, and neither the address nor the run', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en');
  await assertGoesOn(async () => {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
  });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'controls');
  assert.equal(hash(), '#preset=quick&seed=1');
});

test('a hash that changes no setting leaves the run alone', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#seed=1&batch=24');
  for (const next of ['#section2', '', '#theme=dark', '#seed=1&batch=24&theme=dark', '#batch=24&preset=quick']) {
    await assertGoesOn(() => page.evaluate((text) => void (location.hash = text), next));
    assert.match(hash(), /^#preset=quick&(seed=1&batch=24|batch=24&seed=1)/);
  }
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
});

test('the page’s words in another hash count at once', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#batch=8');
  await untilState(page, 'training', ({ step }) => step > 5);
  await page.evaluate(() => void (location.hash = '#batch=12&lang=zh&theme=dark&view=both&autostart=0&doctor=off&engine=GPU'));
  await untilState(page, 'a run that waits', ({ settings, phase, step }) => settings === 'preset=quick&batch=12&seed=1' && phase === 'paused' && step === 0);
  assert.equal(await page.locator('#play').innerText(), '播放');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.ok(await page.locator('#raw canvas').isVisible());
  const [notice, ...more] = await noticesOf(page);
  assert.match(notice ?? '', /engine = GPU/);
  assert.deepEqual(more, []);
  // What was refused is gone from it.
  assert.equal(hash(), '#preset=quick&batch=12&seed=1&lang=zh&theme=dark&view=both&autostart=0&doctor=off');
});

test('what other sites add to the query is nobody’s business', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en&batch=8&utm_source=x&utm_medium=y&fbclid=1&gclid=2&ref=3&id=4&msclkid=5');
  await untilSettings('preset=quick&batch=8&seed=1');
  assert.deepEqual(await noticesOf(page), []);
  await page.goto(site.address + '?engine=cpu&lang=en&bacth=8&utm_source=x');
  const notices = await until('a notice', () => noticesOf(page), ({ length }) => length > 0);
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? '', /“bacth = 8”.*did you mean batch/);
});

/** @type {[string, string, string, RegExp][]} */
const bad = [
  ['', '#batch=0', 'batch', /“batch = 0”.*whole number from 1 to 1,?024/],
  ['', '#batch=abc', 'batch', /“batch = abc”.*whole number/],
  ['', '#gRate=NaN', 'gRate', /“gRate = NaN”.*a number from/],
  ['', '#gRate=1e9', 'gRate', /“gRate = 1e9”.*a number from/],
  ['', '#foo=1', 'foo', /“foo = 1”.*no such setting/],
  ['', '#bach=3', 'bach', /“bach = 3”.*did you mean batch/],
  ['', '#preset=nope', 'preset', /“preset = nope”.*quick/],
  ['', '#network=rnn', 'network', /“network = rnn”.*conv/],
  ['', '#batch=%E0%A4', 'batch', /“batch = .*whole number/],
  ['&engine=quantum', '', 'engine', /“engine = quantum”.*auto, cpu, gpu/],
  ['&theme=pink', '', 'theme', /“theme = pink”.*auto, light, dark/],
  ['&lang=xx', '', 'lang', /“lang = xx”.*en, zh/],
];
for (const [search, fragment, key, words] of bad) {
  test(`${search || fragment} is named in a notice, and left out`, async () => {
    const query = key === 'lang' ? '?engine=cpu' : '?lang=en';
    await page.goto(site.address + query + search + fragment);
    const { settings, engine } = await untilState(page, 'training', ({ playing, step }) => playing && step > 5);
    assert.equal(settings, 'preset=quick&seed=1');
    assert.equal(engine, 'cpu');
    const notices = await noticesOf(page);
    assert.equal(notices.length, 1, notices.join('\n'));
    assert.match(notices[0] ?? '', words);
    assert.equal(await page.locator('.notice').isVisible(), true);
    await page.locator('.notice .dismiss').click();
    assert.deepEqual(await noticesOf(page), []);
  });
}

test('several errors are all named, and good values beside them count', async () => {
  await page.goto(site.address + '?engine=cpu&lang=zh&theme=pink#batch=0&seed=5&foo=1&dSteps=2');
  const { settings } = await untilState(page, 'training', ({ step }) => step > 5);
  assert.equal(settings, 'preset=quick&seed=5&dSteps=2');
  const notices = await noticesOf(page);
  for (const word of ['theme', 'pink', 'batch', 'foo']) assert.ok(notices.some((notice) => notice.includes(word)), `${word}: ${notices}`);
  assert.equal(notices.length, 3);
});

test('a value refused by a control changes nothing and is marked', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en');
  await untilSettings('preset=quick&seed=1');
  await page.locator('#settings-toggle').click();
  const batch = page.locator('#setting-batch');
  await batch.fill('2000');
  await batch.press('Enter');
  const [notice] = await until('a notice', () => noticesOf(page), ({ length }) => length > 0);
  assert.match(notice ?? '', /“batch = 2000”/);
  assert.equal(await batch.getAttribute('aria-invalid'), 'true');
  assert.equal((await stateOf(page))?.settings, 'preset=quick&seed=1');
  await batch.fill('20');
  await batch.press('Enter');
  await untilSettings('preset=quick&batch=20&seed=1');
  assert.deepEqual(await noticesOf(page), []);
});
