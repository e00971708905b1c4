// Data files that are missing, cut short or damaged: the page names the file, and trains once they are whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { launchChromium } from './chromium.js';
import { noticesOf, stateOf, until, untilState } from './forge-page.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);

/** Zeros in a file's midst, its length as before. @param {Buffer} bytes */
function scrambled(bytes) {
  const copy = Buffer.from(bytes);
  copy.fill(0, copy.length >> 1, (copy.length >> 1) + 2000);
  return copy;
}

/** Stored rather than compressed, it is no shorter than the manifest promises: only a look inside finds the fault. @param {Buffer} inner */
const stored = (inner) => gzipSync(inner, { level: 0 });

/** @type {{fault: string, file: string, instead: (bytes: Buffer) => Buffer | number, said: RegExp}[]} */
const faults = [
  { fault: 'a missing file', file: 'images-0.bin', instead: () => 404, said: /images-0\.bin is missing.*404/ },
  { fault: 'a missing list', file: 'manifest.json', instead: () => 404, said: /manifest\.json is missing/ },
  { fault: 'a list that is something else', file: 'manifest.json', instead: () => Buffer.from('<!doctype html>'), said: /manifest\.json, can’t be read/ },
  { fault: 'a file cut short', file: 'images-0.bin', instead: (bytes) => bytes.subarray(0, bytes.length / 2), said: /images-0\.bin is incomplete/ },
  { fault: 'labels cut short', file: 'labels-0.bin', instead: (bytes) => bytes.subarray(0, 100), said: /labels-0\.bin is incomplete/ },
  { fault: 'damaged bytes', file: 'images-0.bin', instead: scrambled, said: /images-0\.bin is damaged/ },
  { fault: 'a file of another kind', file: 'labels-0.bin', instead: (bytes) => Buffer.alloc(bytes.length, 'text'), said: /labels-0\.bin is damaged/ },
  { fault: 'images of another size', file: 'images-0.bin', instead: (bytes) => {
    const inner = gunzipSync(bytes);
    inner.writeUInt32BE(14, 8);
    return stored(inner);
  }, said: /images-0\.bin is damaged.*14/ },
];

for (const { fault, file, instead, said } of faults) {
  test(`${fault} is named, and a retry goes on once it is whole`, async () => {
    const page = await browser.newPage();
    try {
      site.replace((path, bytes) => (path === `data/mnist/${file}` ? instead(bytes) : undefined));
      await page.goto(site.address + '?engine=cpu&lang=en');
      const notices = await until('a notice', () => noticesOf(page), ({ length }) => length > 0);
      assert.equal(notices.length, 1, notices.join('\n'));
      assert.match(notices[0] ?? '', said);
      assert.equal((await stateOf(page))?.phase, 'loading');
      // Still broken: said again.
      await page.getByRole('button', { name: 'Try again' }).click();
      await until('the notice again', () => noticesOf(page), ([notice]) => said.test(notice ?? ''));
      site.replace(null);
      await page.getByRole('button', { name: 'Try again' }).click();
      await untilState(page, 'training', ({ playing, step }) => playing && step > 10);
      assert.deepEqual(await noticesOf(page), []);
    } finally {
      site.replace(null);
      await page.close();
    }
  });
}

test('a fault in a later file leaves the training going', async () => {
  const page = await browser.newPage();
  try {
    site.replace((path) => (path === 'data/mnist/images-3.bin' ? 404 : undefined));
    await page.goto(site.address + '?engine=cpu&lang=en');
    const [notice] = await until('a notice', () => noticesOf(page), ({ length }) => length > 0);
    assert.match(notice ?? '', /images-3\.bin is missing/);
    const { step } = await untilState(page, 'training', ({ playing }) => playing);
    await untilState(page, 'more training', (state) => state.step > step + 50);
    site.replace(null);
    site.asked.length = 0;
    await page.getByRole('button', { name: 'Try again' }).click();
    await until('the rest', async () => site.asked, (asked) => asked.includes('data/mnist/images-5.bin'));
    assert.deepEqual(await noticesOf(page), []);
  } finally {
    site.replace(null);
    await page.close();
  }
});

test('an engine that cannot be loaded is named, and a restart goes on once it can', async () => {
  const page = await browser.newPage();
  try {
    site.replace((path) => (path.endsWith('.wasm') ? 404 : undefined));
    await page.goto(site.address + '?engine=cpu&lang=en');
    const [notice] = await until('a notice', () => noticesOf(page), ({ length }) => length > 0);
    assert.match(notice ?? '', /engine could not be loaded/);
    site.replace(null);
    await page.locator('.notice').getByRole('button', { name: 'Restart' }).click();
    await untilState(page, 'training', ({ playing, step }) => playing && step > 10);
  } finally {
    site.replace(null);
    await page.close();
  }
});
