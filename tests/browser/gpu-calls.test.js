// What a training step costs the device: dispatches, and nothing else. No object is made, no memory asked for, nothing
// awaited; several steps go into one submit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './chromium.js';
import { sleep, stateOf, untilState } from './forge-page.js';
import { countingScript, takeGpuCalls } from './gpu-calls.js';
import { beforeWorker, siteIn } from './site.js';

const { site, browser } = await siteIn(() => launchChromium({ presents: true }));
site.replace(beforeWorker(countingScript));

/** @param {import('playwright-core').Page} page @param {number} [step] */
const untilPaused = (page, step = 0) => untilState(page, 'a pause', (state) => state.phase === 'paused' && state.step >= step);

/**
 * Trains for some seconds and tells the calls of exactly these steps, and of one step by itself before.
 * @param {string} settings
 * @param {number} seconds
 */
async function trainCounting(settings, seconds) {
  const page = await browser.newPage({ viewport: { width: 360, height: 700 } });
  try {
    // A reading, of which one may fall into these seconds, has buffers of its own: nobody reads the run.
    await page.goto(`${site.address}?engine=gpu&lang=en&doctor=off#${settings}`);
    // Warm: played, drawn, read, and paused once.
    await untilState(page, 'training', ({ step, engine }) => step > 10 && engine === 'gpu', 60);
    await sleep(2000);
    await page.locator('#play').click();
    const warm = await untilPaused(page);
    await takeGpuCalls(page);
    await page.locator('#step').click();
    const { step: first } = await untilPaused(page, warm.step + 1);
    const single = await takeGpuCalls(page);
    await page.locator('#play').click();
    await sleep(seconds * 1000);
    await page.locator('#play').click();
    await untilState(page, 'a pause', ({ phase, wanted }) => phase === 'paused' && !wanted);
    const last = /** @type {import('./forge-page.js').Snapshot} */ (await stateOf(page));
    return { single, span: await takeGpuCalls(page), steps: last.step - first, rate: last.rate };
  } finally {
    await page.close();
  }
}

/**
 * Holds all that must be so whatever the model, and gives the steps of each training submit.
 * @param {Awaited<ReturnType<typeof trainCounting>>} counted
 * @param {number} most dispatches of a step
 * @param {(text: string) => void} say
 */
function check({ single, span, steps, rate }, most, say) {
  const { methods, submits, posted } = span;
  say(`${steps} steps, ${rate.toFixed(0)} a second; ${JSON.stringify(methods)}; messages ${JSON.stringify(posted)}`);
  const [step, grid] = single.submits;
  assert.ok(step && grid, 'a single step is submitted, then its picture');
  say(`a step: ${JSON.stringify(step)}, a grid: ${JSON.stringify(grid)}`);
  assert.deepEqual([step.computePasses, step.renderPasses, step.copies], [1, 0, 0]);
  assert.ok(step.dispatches <= most, `${step.dispatches} dispatches in a step`);

  const made = Object.entries(methods).filter(([name, n]) => n > 0 && /\.create|\.destroy|\.request|\.configure/.test(name));
  const allowed = ['GPUDevice.createCommandEncoder', 'GPUTexture.createView'];
  assert.deepEqual(made.filter(([name]) => !allowed.includes(name)), []);
  const pictures = submits.filter(({ renderPasses }) => renderPasses > 0);
  assert.equal(methods['GPUTexture.createView'] ?? 0, pictures.length, 'views are of the canvas only');
  assert.equal(methods['GPUDevice.createCommandEncoder'], submits.length, 'an encoder for a submit, not for a step');
  assert.ok((methods['GPUQueue.writeBuffer'] ?? 0) <= pictures.length, 'nothing is written for a step');
  assert.ok((methods['GPUBuffer.mapAsync'] ?? 0) <= (posted.progress ?? 0), 'nothing is read but for a report');

  const computing = submits.filter(({ computePasses }) => computePasses > 0);
  const grids = computing.filter(({ dispatches }) => dispatches === grid.dispatches);
  const training = computing.filter((submit) => !grids.includes(submit)).map(({ dispatches }) => dispatches / step.dispatches);
  for (const submit of computing) assert.deepEqual([submit.computePasses, submit.renderPasses, submit.copies], [1, 0, 0]);
  assert.ok(training.every(Number.isInteger), `whole steps of ${step.dispatches} dispatches each: ${training}`);
  assert.equal(training.reduce((a, b) => a + b, 0), steps);
  assert.equal(grids.length, pictures.length);
  say(`steps of each submit: ${training.slice(0, 60).join(' ')}${training.length > 60 ? ' …' : ''}, at most ${Math.max(...training)}`);
  return training;
}

test('a step of the quick preset is nine dispatches, makes nothing and awaits nothing', async (t) => {
  const training = check(await trainCounting('', 6), 9, (text) => t.diagnostic(text));
  assert.ok(training.length > 5, `${training.length} submits`);
});

test('with the averaged and the raw generator beside one another a step costs the same', async (t) => {
  check(await trainCounting('view=both', 6), 9, (text) => t.diagnostic(text));
});

test('a step of a dense GAN is seventeen dispatches', async (t) => {
  const anchor = 'images=1000&network=mlp&gWidths=256,512&dWidths=512,256&noise=100&batch=64&condition=none&average=0';
  check(await trainCounting(anchor, 6), 17, (text) => t.diagnostic(text));
});

test('where a step is quick several go into one submit', async (t) => {
  // The least that can be set, since SwiftShader needs the whole time of a submit for one step of `quick`.
  const least = 'images=1000&network=mlp&gWidths=1&dWidths=1&noise=1&batch=1&condition=none&average=0';
  const counted = await trainCounting(least, 6);
  const training = check(counted, 17, (text) => t.diagnostic(text));
  assert.ok(Math.max(...training) >= 4, `${counted.steps} steps in ${training.length} submits`);
});
