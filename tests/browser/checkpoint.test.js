// A run saved as a file and gone on from in another page; files that are no such thing.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { launchChromium } from './chromium.js';
import { imagesOf, noticesOf, sleep, stateOf, until, untilState } from './forge-page.js';
import { siteIn } from './site.js';

/** @typedef {import('playwright-core').Page} Page */

const { site, browser } = await siteIn(launchChromium);
/** @type {Page} */
let page;

beforeEach(async () => void (page = await browser.newPage()));
afterEach(() => page.close());

/** @param {Page} where @param {number} [step] */
const untilPaused = (where, step) => untilState(where, `a pause at ${step ?? 'any step'}`, (state) => state.phase === 'paused' && state.step === (step ?? state.step));

/** What a download brings. @param {() => Promise<void>} act */
async function downloaded(act) {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** @param {Page} where @param {string} name @param {Buffer} buffer */
const openFile = (where, name, buffer) => where.locator('#file').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });

/** As if from the desktop. @param {Page} where @param {string} name @param {Buffer} bytes */
async function drop(where, name, bytes) {
  const transfer = await where.evaluateHandle(([name, text]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(text, (c) => c.charCodeAt(0))], name));
    return transfer;
  }, /** @type {const} */ ([name, bytes.toString('latin1')]));
  for (const type of ['dragover', 'drop']) await where.dispatchEvent('.story', type, { dataTransfer: transfer });
}

/** The grid after each of five single steps from here. @param {Page} where @param {number} from */
async function fiveSteps(where, from) {
  const grids = [];
  for (let step = from + 1; step <= from + 5; step++) {
    await where.locator('#step').click();
    await untilPaused(where, step);
    grids.push(await imagesOf(where));
  }
  return grids;
}

test('a saved run goes on in another page, bit for bit, with its settings', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#preset=quick&batch=24&seed=5');
  // Past the opening pass: from here on it matters that all images are there.
  await untilState(page, 'an epoch', ({ step }) => step > 450, 60);
  await page.locator('#play').click();
  const { step } = await untilPaused(page);
  const { name, bytes } = await downloaded(() => page.locator('#save').click());
  assert.equal(name, `digit-forge-quick-${step}.safetensors`);
  const grid = await imagesOf(page);

  const other = await browser.newPage();
  try {
    await other.goto(site.address + '?engine=cpu&autostart=0&lang=en#preset=primer-case');
    await untilPaused(other, 0);
    await openFile(other, name, bytes);
    const opened = await untilPaused(other, step);
    assert.equal(opened.settings, 'preset=quick&batch=24&seed=5');
    assert.equal(new URL(other.url()).hash, '#preset=quick&batch=24&seed=5');
    assert.equal(await other.locator('#preset').inputValue(), 'quick');
    assert.deepEqual(await imagesOf(other), grid);
    assert.deepEqual(await fiveSteps(other, step), await fiveSteps(page, step));
    assert.deepEqual(await noticesOf(other), []);
  } finally {
    await other.close();
  }
});

test('W saves while the run goes on, and the file dropped on the page brings that step back', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#batch=8');
  await untilState(page, 'training', ({ step }) => step > 20);
  const { name, bytes } = await downloaded(() => page.keyboard.press('w'));
  const step = Number(/^digit-forge-quick-(\d+)\.safetensors$/.exec(name)?.[1]);
  assert.ok(step > 20, name);
  await untilState(page, 'going on', (state) => state.playing && state.step > step + 20);
  await page.locator('#play').click();
  await untilPaused(page);
  await drop(page, name, bytes);
  await untilPaused(page, step);
  await page.locator('#restart').click();
  await untilPaused(page, 0);
});

/** A safetensors file without tensors. @param {object} header */
function safetensors(header) {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

test('a file that is no saved run is named with the reason, and the training goes on', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#gChannels=4&seed=3');
  await untilState(page, 'training', ({ step }) => step > 5);
  const { bytes } = await downloaded(() => page.locator('#save').click());
  const edited = (/** @type {string} */ from, /** @type {string} */ to) => Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
  /** @type {[string, Buffer, RegExp][]} */
  const bad = [
    ['photo.png', Buffer.from('\x89PNG\r\n\x1a\n and so on', 'latin1'), /isn’t a safetensors file/],
    ['empty.safetensors', Buffer.alloc(0), /incomplete/],
    ['half.safetensors', bytes.subarray(0, bytes.length / 2), /incomplete/],
    ['header.safetensors', bytes.subarray(0, 50), /incomplete/],
    ['garbled.safetensors', edited('{"__metadata__"', '["__metadata__"'), /isn’t a safetensors file/],
    ['other.safetensors', safetensors({ __metadata__: { made: 'elsewhere' } }), /not one that Digit Forge saved/],
    ['newer.safetensors', edited('gChannels=4', 'gChunnels=4'), /settings aren’t known here.*gChunnels/],
    ['wider.safetensors', edited('gChannels=4', 'gChannels=5'), /networks aren’t those.*in the file/],
    // The clock lies at the end.
    ['clock.safetensors', Buffer.concat([bytes.subarray(0, -32), Buffer.alloc(32, 0xff)]), /no training can go on.*clock/],
    ['missing.safetensors', safetensors({ __metadata__: { 'digit-forge 1 settings': 'preset=quick' } }), /networks aren’t those.*missing/],
  ];
  let { step } = await untilState(page, 'training', ({ playing }) => playing);
  for (const [name, buffer, reason] of bad) {
    await openFile(page, name, buffer);
    const [notice, ...more] = await until(name, () => noticesOf(page), (notices) => notices.some((text) => text.includes(name)));
    assert.deepEqual(more, []);
    assert.ok(notice?.includes(`“${name}”`), notice);
    assert.match(notice ?? '', reason);
    const state = await untilState(page, 'going on', (now) => now.playing && now.step > step);
    assert.equal(state.settings, 'preset=quick&seed=3&gChannels=4');
    step = state.step;
  }
  await page.locator('.notice .dismiss').click();
  await openFile(page, 'good.safetensors', bytes);
  await untilState(page, 'the earlier step', (now) => now.playing && now.step < step);
  assert.deepEqual(await noticesOf(page), []);
});

test('an embed has neither, and leaves what is dropped on it alone', async () => {
  await page.goto(site.address + '?engine=cpu&embed=1&autostart=0&lang=en');
  await untilPaused(page, 0);
  assert.equal(await page.locator('#save').isVisible(), false);
  assert.equal(await page.locator('[data-action=open]').isVisible(), false);
  await page.evaluate(() => addEventListener('drop', (event) => (document.title = String(event.defaultPrevented))));
  await drop(page, 'x.safetensors', Buffer.from('x'));
  assert.equal(await page.title(), 'false');
  await page.keyboard.press('?');
  assert.doesNotMatch(await page.locator('#help').innerText(), /Save/);
  await sleep(300);
  assert.deepEqual(await noticesOf(page), []);
  assert.equal((await stateOf(page))?.phase, 'paused');
});
