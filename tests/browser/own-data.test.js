// Data of one's own: an IDX pair dropped on the page, files that are none, pictures, and a digit drawn on the pad.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { launchChromium } from './chromium.js';
import { complaintsOf, keepScreen, noticesOf, sleep, stateOf, until, untilState } from './forge-page.js';
import { assertFits } from './layout.js';
import { beforeWorker, siteIn } from './site.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{name: string, bytes: Buffer, type?: string}} Dropped */

const { site, browser } = await siteIn(launchChromium);
/** @type {Page} */
let page;
/** @type {string[]} */
let complaints;

beforeEach(async () => {
  page = await browser.newPage();
  complaints = complaintsOf(page);
});
afterEach(() => page.close());

/** As if from the desktop. @param {Dropped[]} files */
async function drop(files) {
  const given = files.map(({ name, bytes, type = '' }) => ({ name, type, text: bytes.toString('latin1') }));
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, type, text } of files) transfer.items.add(new File([Uint8Array.from(text, (c) => c.charCodeAt(0))], name, { type }));
    return transfer;
  }, given);
  for (const type of ['dragover', 'drop']) await page.dispatchEvent('.story', type, { dataTransfer: transfer });
}

/** @param {number[]} extents @param {Buffer} body */
function idx(extents, body) {
  const head = Buffer.alloc(4 + 4 * extents.length);
  head.writeUInt32BE(0x800 + extents.length);
  extents.forEach((extent, k) => head.writeUInt32BE(extent, 4 + 4 * k));
  return Buffer.concat([head, body]);
}

/** A bright bar; the digit says how far down. @param {number} count */
function pair(count) {
  const pixels = Buffer.alloc(count * 784);
  for (let n = 0; n < count; n++) pixels.fill(255, n * 784 + 28 * (4 + 2 * (n % 10)), n * 784 + 28 * (6 + 2 * (n % 10)));
  return { images: idx([count, 28, 28], pixels), labels: idx([count], Buffer.from(Array.from({ length: count }, (_, n) => n % 10))) };
}

/** A grey PNG, black on white: a bar. @param {number} width @param {number} height @param {boolean} [blank] */
function png(width, height, blank = false) {
  const rows = Buffer.alloc(height * (width + 1), 255);
  for (let y = 0; y < height; y++) {
    rows[y * (width + 1)] = 0;
    if (!blank && y > height / 4 && y < (3 * height) / 4) rows.fill(0, y * (width + 1) + 1 + width / 2 - 4, y * (width + 1) + 1 + width / 2 + 4);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  const chunk = (/** @type {string} */ type, /** @type {Buffer} */ data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [size, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(data.length);
    check.writeUInt32BE(crc(body));
    return Buffer.concat([size, body, check]);
  };
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** @param {Buffer} bytes */
function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let k = 0; k < 8; k++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** A stroke from top to bottom of the pad. @param {number} x */
async function draw(x) {
  await page.locator('#pad').scrollIntoViewIfNeeded();
  const box = await page.locator('#pad').boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + x * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + x * box.width, box.y + 0.8 * box.height, { steps: 5 });
  await page.mouse.up();
}

const untilTraining = (/** @type {number} */ step = 20) => untilState(page, 'training', (state) => state.playing && state.step > step);
const thumbs = () => page.locator('#data-list .thumb');

test('a pair trains as soon as it is dropped, is named, can be turned, and MNIST comes back', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en#seed=3');
  const first = await untilTraining();
  assert.equal(first.data, null);
  const hash = new URL(page.url()).hash;
  const { images, labels } = pair(300);
  site.asked.length = 0;
  await drop([{ name: 'mine.gz', bytes: gzipSync(labels) }, { name: 'yours', bytes: images }]);
  await untilState(page, 'a run on it', ({ data, playing, step }) => data?.count === 300 && playing && step > 20);
  assert.equal(await page.locator('#data-name').innerText(), 'yours: 300 images');
  assert.equal(await page.locator('#data-preview .thumb').count(), 24);
  assert.equal(await page.locator('#data-preview li').nth(7).innerText(), '7');
  assert.equal(new URL(page.url()).hash, hash, 'the address is the same');
  const mask = () => page.locator('#data-preview .thumb span').nth(3).evaluate((ink) => /** @type {HTMLElement} */ (ink).style.maskImage);
  const upright = await mask();
  const before = await stateOf(page);
  await page.locator('#data-turn').check();
  await untilState(page, 'a new run', ({ step }) => step < (before?.step ?? 0));
  assert.notEqual(await mask(), upright);
  await untilTraining();

  // A change of settings, a saved run: the data set stays.
  await page.locator('#settings-toggle').click();
  assert.match(await page.locator('#settings').innerText(), /Data set[\s\S]*yours: 300 images/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
  const run = await readFile(await download.path());
  await drop([{ name: 'run.safetensors', bytes: run }]);
  await untilState(page, 'the saved run', ({ data, playing, step }) => data?.count === 300 && playing && step > 20);
  await page.locator('#setting-images').selectOption('1000');
  assert.equal(await page.locator('#data-name').innerText(), 'yours: 300 images');

  await page.locator('#data-mnist').click();
  await untilState(page, 'MNIST', ({ data, playing, step }) => data === null && playing && step > 20);
  assert.equal(await page.locator('#data-name').innerText(), 'MNIST: 1,000 of 60,000 images');
  assert.deepEqual(site.asked.filter((path) => !/^data\/mnist\/|^favicon|^assets\/(worker-|weights-|digit_forge_clinic)/.test(path)), [], 'nothing else was asked of the server');
  assert.deepEqual(await noticesOf(page), []);
  assert.deepEqual(complaints, []);
});

test('of more images than a run takes the first are used, and that is said', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en&autostart=0');
  await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
  const count = 60_007;
  await page.locator('#data-file').setInputFiles([
    { name: 'many.gz', mimeType: 'application/gzip', buffer: gzipSync(idx([count, 28, 28], Buffer.alloc(count * 784, 9)), { level: 1 }) },
    { name: 'labels', mimeType: '', buffer: idx([count], Buffer.alloc(count, 4)) },
  ]);
  const [notice] = await until('the notice', () => noticesOf(page), ({ length }) => length > 0);
  assert.match(notice ?? '', /60,007 images in “many\.gz”, the first 60,000/);
  await untilState(page, 'the data set', ({ data, phase }) => data?.count === 60_000 && phase === 'paused');
  assert.equal(await page.locator('#data-name').innerText(), 'many.gz: 60,000 of 60,007 images');
});

test('files that can’t be trained on are named with the reason, and the training goes on', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en');
  const { images, labels } = pair(30);
  const jpeg = Buffer.from('\xff\xd8\xff\xe0 and so on', 'latin1');
  /** @type {[Dropped[], RegExp[]][]} */
  const bad = [
    [[{ name: 'a.gz', bytes: jpeg }], [/“a\.gz”.*isn’t a gzip file/]],
    [[{ name: 'notes.txt', bytes: Buffer.from('three'), type: 'text/plain' }], [/“notes\.txt”.*neither/]],
    [[{ name: 'nothing', bytes: Buffer.alloc(0) }], [/“nothing”.*empty/]],
    [[{ name: 'emnist.zip', bytes: Buffer.from('PK\x03\x04', 'latin1') }], [/“emnist\.zip”.*zip archive/]],
    [[{ name: 'x', bytes: images }, { name: 'y', bytes: labels.subarray(0, 20) }], [/“y”.*promises 30 bytes, and 12 follow/]],
    [[{ name: 'x', bytes: images }, { name: 'y.gz', bytes: gzipSync(labels).subarray(0, 25) }], [/“y\.gz”.*incomplete or damaged/]],
    [[{ name: 'x', bytes: images }, { name: 'letters', bytes: idx([30], Buffer.alloc(30, 26)) }], [/“letters”.*label 1 is 26/]],
    [[{ name: 'x', bytes: images }, { name: 'y', bytes: pair(29).labels }], [/“x”.*30 images, but “y” has 29 labels/]],
    [[{ name: 'x', bytes: images }, { name: 'z', bytes: images }], [/“x, z”.*labels are missing/]],
    [[{ name: 'wide', bytes: idx([2, 32, 32], Buffer.alloc(2048)) }, { name: 'y', bytes: labels }], [/“wide”.*32 × 32/]],
    [[{ name: '3.png', bytes: Buffer.from('\x89PNG\r\n\x1a\n and no more', 'latin1') }], [/“3\.png”.*as a picture/]],
    [[{ name: '4.png', bytes: png(30, 40, true) }], [/“4\.png”.*no ink/]],
    [[{ name: 'a', bytes: Buffer.alloc(0) }, { name: 'b', bytes: Buffer.alloc(0) }, { name: 'c.zip', bytes: Buffer.from('PK\x03\x04', 'latin1') }], [/“a, b”.*empty/, /“c\.zip”/]],
  ];
  let { step } = await untilTraining();
  for (const [files, reasons] of bad) {
    await drop(files);
    const notices = await until(String(reasons), () => noticesOf(page), (shown) => shown.length === reasons.length && reasons.every((reason, k) => reason.test(shown[k] ?? '')));
    assert.ok(notices.every((text) => !/[{}]/.test(text)), notices.join());
    const state = await untilState(page, 'going on', (now) => now.playing && now.step > step);
    assert.equal(state.data, null);
    step = state.step;
  }
});

test('before a drawing is lost the browser asks', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en&autostart=0');
  await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
  let asked = 0;
  page.on('dialog', (dialog) => {
    if (dialog.type() === 'beforeunload') asked++;
    void dialog.accept();
  });
  await page.locator('#data-toggle').click();
  await page.reload();
  await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
  assert.equal(asked, 0);
  await page.locator('#data-toggle').click();
  await draw(0.5);
  await page.reload();
  assert.equal(asked, 1, 'a drawing on the pad');
  await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
  await page.locator('#data-toggle').click();
  await draw(0.5);
  await page.locator('#pad-add').click();
  await until('the image', () => thumbs().count(), (count) => count === 1);
  await page.reload();
  assert.equal(asked, 2, 'an image made of one');
});

test('drawings and pictures become images with labels, and are trained on', async () => {
  await page.goto(site.address + '?engine=cpu&lang=en');
  const { step } = await untilTraining();
  await page.locator('#data-toggle').click();
  assert.equal(await page.locator('#data-toggle').getAttribute('aria-expanded'), 'true');
  assert.equal(await page.locator('#pad-add').isDisabled(), true);
  for (let digit = 0; digit < 3; digit++) {
    await draw(0.3 + 0.2 * digit);
    await page.locator('#pad-digits label').nth(digit).click();
    await page.locator('#pad-add').click();
    await until('the image', () => thumbs().count(), (count) => count === digit + 1);
  }
  assert.equal(await page.locator('#pad-add').isDisabled(), true, 'the pad is empty again');
  assert.match(await page.locator('#data-wants').innerText(), /At least 10.* 3 are there/);

  // By keyboard: a stroke down and to the right, as a seven.
  await page.locator('#pad').focus();
  for (const key of ['7', ' ', 'ArrowDown', 'ArrowDown', 'ArrowRight', ' ', 'Enter']) await page.keyboard.press(key);
  await until('its image', () => thumbs().count(), (count) => count === 4);
  assert.equal(await page.locator('#data-list select').nth(3).inputValue(), '7');

  await drop([...[1, 2, 3, 4, 5, 6].map((digit) => ({ name: `${digit}.png`, bytes: png(40, 60) })), { name: 'scan.png', bytes: png(900, 2000) }]);
  await until('the pictures', () => thumbs().count(), (count) => count === 11);
  assert.equal(await page.locator('#data-train').isDisabled(), true);
  assert.match(await page.locator('#data-wants').innerText(), /without a label: 1/);
  await page.locator('#data-list select').last().selectOption('8');
  assert.equal(await page.locator('#data-count-8').innerText(), '1');
  assert.equal(await page.locator('#data-train').isDisabled(), false);
  await page.locator('#data-list button').first().click();
  assert.equal(await thumbs().count(), 10);

  await page.locator('#data-none').click();
  assert.equal(await thumbs().count(), 0);
  await page.getByRole('button', { name: 'Bring them back' }).click();
  assert.equal(await thumbs().count(), 10);
  const now = await stateOf(page);
  assert.ok(now && now.step > step && now.data === null, 'until now the run went on');

  await page.locator('#data-train').click();
  await untilState(page, 'a run on them', ({ data, playing, step }) => data?.count === 10 && data.name === null && playing && step > 20);
  assert.equal(await page.locator('#data-name').innerText(), 'Your images: 10 images');
  await page.keyboard.press('g');
  assert.equal(await page.locator('#data-name').innerText(), '你的图像：10 幅图像');
  assert.equal(await thumbs().count(), 10);
  assert.deepEqual(complaints, []);
});

test('own data trains without MNIST, whose fault is said again on the way back', async () => {
  site.replace((path) => (path.startsWith('data/mnist/') ? 404 : undefined));
  try {
    await page.goto(site.address + '?engine=cpu&lang=en');
    await until('the fault', () => noticesOf(page), ([notice]) => /manifest\.json is missing/.test(notice ?? ''));
    const { images, labels } = pair(50);
    await drop([{ name: 'x', bytes: images }, { name: 'y', bytes: labels }]);
    await untilTraining();
    assert.deepEqual(await noticesOf(page), []);
    await page.locator('#data-mnist').click();
    await until('the fault again', () => noticesOf(page), ([notice]) => /manifest\.json is missing/.test(notice ?? ''));
    site.replace(null);
    await page.getByRole('button', { name: 'Try again' }).click();
    await untilTraining();
    assert.equal((await stateOf(page))?.data, null);
  } finally {
    site.replace(null);
  }
});

test('what is drawn outlives an engine that stops, on the pad and in the list', async () => {
  site.replace(beforeWorker("{ let n = 0; self.addEventListener('message', ({ data }) => { if (data.type === 'prepare' && ++n === 2) throw new Error('gone'); }); }"));
  try {
    await page.goto(site.address + '?engine=cpu&lang=en');
    await untilTraining();
    await page.keyboard.press('d');
    await draw(0.4);
    await page.locator('#pad-add').click();
    await until('the image', () => thumbs().count(), (count) => count === 1);
    await draw(0.6);
    await page.locator('#pad-add').click();
    const notices = await until('both notices', () => noticesOf(page), ({ length }) => length === 2);
    assert.match(notices.join('\n'), /stopped unexpectedly.*gone/);
    assert.match(notices.join('\n'), /“the drawing” could not be prepared/);
    assert.equal(await thumbs().count(), 1);
    assert.equal(await page.locator('#pad-add').isDisabled(), false, 'the stroke is still there');
    await page.locator('.notice').getByRole('button', { name: 'Restart' }).click();
    await untilTraining();
    await page.locator('#pad-add').click();
    await until('the second image', () => thumbs().count(), (count) => count === 2);
  } finally {
    site.replace(null);
  }
});

for (const [width, theme, lang] of /** @type {const} */ ([[360, 'light', 'zh'], [360, 'dark', 'en'], [1280, 'light', 'en'], [1280, 'dark', 'zh']])) {
  test(`at ${width} px, ${theme}, in ${lang}, the panel fits`, async () => {
    await page.setViewportSize({ width, height: width < 600 ? 780 : 900 });
    await page.goto(`${site.address}?engine=cpu&lang=${lang}&theme=${theme}&autostart=0`);
    await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
    const { images, labels } = pair(40);
    await drop([{ name: 'some-digits-images-idx3-ubyte', bytes: images }, { name: 'some-digits-labels-idx1-ubyte', bytes: labels }]);
    await untilState(page, 'the data set', ({ data, phase }) => data?.count === 40 && phase === 'paused');
    await drop([2, 3, 5].map((digit) => ({ name: `${digit}.png`, bytes: png(40, 60) })));
    await until('the pictures', () => thumbs().count(), (count) => count === 3);
    await draw(0.5);
    await assertFits(page);
    await page.locator('#data').scrollIntoViewIfNeeded();
    await keepScreen(page, `${width}-${lang}-${theme}-data`);
  });
}

test('an embed has none of it', async () => {
  await page.goto(site.address + '?engine=cpu&embed=1&autostart=0&lang=en');
  await untilState(page, 'the grid', ({ phase }) => phase === 'paused');
  const { images, labels } = pair(20);
  await drop([{ name: 'x', bytes: images }, { name: 'y', bytes: labels }]);
  await page.keyboard.press('d');
  await page.keyboard.press('e');
  assert.equal(await page.locator('#data').isVisible(), false);
  assert.equal(await page.locator('#data-toggle').isVisible(), false);
  assert.doesNotMatch(await page.locator('#settings').innerText(), /Data set/);
  await sleep(300);
  assert.equal((await stateOf(page))?.data, null);
  assert.deepEqual(complaints, []);
});
