// Training leaves the page free to paint and to answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { untilState } from './forge-page.js';
import { siteIn } from './site.js';

const { site, browser } = await siteIn(launchChromium);

test('while it trains on the CPU engine, frames come as without it', async (t) => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  await page.goto(site.address + '?engine=cpu');
  await untilState(page, 'training', ({ step }) => step > 300);
  const gaps = await page.evaluate(async () => {
    const next = () => new Promise((done) => requestAnimationFrame(done));
    /** @type {number[]} */
    const times = [];
    for (const end = performance.now() + 4000; performance.now() < end; ) times.push(Number(await next()));
    return times.slice(1).map((time, k) => time - (times[k] ?? 0)).sort((a, b) => a - b);
  });
  const [median = Infinity, most = Infinity] = [gaps[gaps.length >> 1], gaps.at(-1)];
  t.diagnostic(`${gaps.length} frames in 4 s; median gap ${median.toFixed(0)} ms, longest ${most.toFixed(0)} ms`);
  assert.ok(median < 50, `median gap ${median} ms`);
  assert.ok(most < 500, `longest gap ${most} ms`);
});
