// What a step asks of WebGPU, counted in a page of its own: the wrappers that count would slow down what is timed.

import { countingScript } from '../tests/browser/gpu-calls.js';
import { Opened } from './measure.js';
import { nameOf } from './tasks.js';

/** @typedef {import('./tasks.js').EngineName} EngineName */
/** @typedef {import('./tasks.js').ModelName} ModelName */
/** @typedef {import('../tests/browser/gpu-calls.js').GpuCalls} GpuCalls */

/** Steps that are counted together, of which ours makes one submit. */
const STEPS = 8;
/** No submit may last so long that a watchdog ends it, in milliseconds. */
const LONGEST_SUBMIT = 8000;
/** A peer this slow, in milliseconds a step, is counted over one step. */
const SLOW = 1000;

/**
 * @typedef {object} Counts
 * @property {EngineName} engine
 * @property {string} task
 * @property {number} steps
 * @property {Record<string, number>} perStep
 */

/** The figures and the calls that they add up. @type {Record<string, (calls: GpuCalls) => number>} */
const figures = {
  dispatches: ({ methods }) => methods['GPUComputePassEncoder.dispatchWorkgroups'] ?? 0,
  passes: ({ methods }) => methods['GPUCommandEncoder.beginComputePass'] ?? 0,
  submits: ({ methods }) => methods['GPUQueue.submit'] ?? 0,
  bindGroups: ({ methods }) => methods['GPUDevice.createBindGroup'] ?? 0,
  buffers: ({ methods }) => methods['GPUDevice.createBuffer'] ?? 0,
  writes: ({ methods }) => methods['GPUQueue.writeBuffer'] ?? 0,
  maps: ({ methods }) => methods['GPUBuffer.mapAsync'] ?? 0,
};

/** @param {import('playwright-core').Page} page @returns {Promise<GpuCalls>} the calls since the last time */
const take = (page) => page.evaluate(() => /** @type {any} */ (self).takeGpuCalls());

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} address
 * @param {readonly EngineName[]} engines
 * @param {ModelName} model
 * @returns {Promise<Counts[]>}
 */
export async function countSteps(browser, address, engines, model) {
  const page = await browser.newPage();
  await page.addInitScript(countingScript);
  await page.goto(address);
  await page.waitForFunction(() => 'bench' in self);
  const counts = [];
  for (const engine of engines) counts.push(await countOne(page, engine, model));
  await page.close();
  return counts;
}

/** @param {import('playwright-core').Page} page @param {EngineName} engine @param {ModelName} model @returns {Promise<Counts>} */
async function countOne(page, engine, model) {
  const task = /** @type {const} */ ({ kind: 'step', model });
  const work = await Opened.open(page, { engine, task });
  const ms = await work.run(1);
  const steps = ms > SLOW && !engine.startsWith('forge') ? 1 : STEPS;
  await take(page);
  await work.run(steps, Math.max(1, Math.min(STEPS, Math.floor(LONGEST_SUBMIT / ms))));
  const calls = await take(page);
  await work.close();
  const perStep = Object.fromEntries(Object.entries(figures).map(([name, of]) => [name, of(calls) / steps]));
  return { engine, task: nameOf(task), steps, perStep };
}
