// The page of the benches: every engine behind one interface, for Node to drive through `bench`.

import { openCrew, openForge } from './forge.js';
import { openJax } from './jax.js';
import { firstImages } from './models.js';
import { openTensorFlow } from './tfjs.js';

/** @typedef {import('./tasks.js').Task} Task */
/** @typedef {import('./tasks.js').EngineName} EngineName */

/**
 * A task on an engine.
 * @typedef {object} Work
 * @property {(times: number, slice: number) => Promise<void>} run does it so often and waits for its end; ours submits
 *   `slice` of them at once
 * @property {() => Promise<number[]>} [losses] D's and G's of the last step
 * @property {() => void} free
 */

/**
 * MNIST's first images, as an IDX pair and as numbers.
 * @typedef {object} Files
 * @property {Uint8Array} images
 * @property {Uint8Array} labels
 * @property {(count: number) => import('./models.js').Images} first
 */

/** @param {string} name */
const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

/** @type {Promise<Files> | undefined} */
let loading;
const files = () =>
  (loading ??= (async () => {
    const [images, labels] = await Promise.all(['data/images', 'data/labels'].map(bytes));
    return { images, labels, first: (count) => firstImages(images, labels, count) };
  })());

/** @type {Record<EngineName, (task: Task, files: Files) => Promise<Work>>} */
const openers = {
  'forge-gpu': (task, files) => openForge('gpu', task, files),
  'forge-cpu': (task, files) => openForge('cpu', task, files),
  'forge-cpu-2': (task, files) => openCrew(2, task, files),
  'jax-webgpu': (task, files) => openJax('webgpu', task, files),
  'jax-wasm': (task, files) => openJax('wasm', task, files),
  'tfjs-webgpu': (task, files) => openTensorFlow('webgpu', task, files),
  'tfjs-wasm': (task, files) => openTensorFlow('wasm', task, files),
};

/** @type {Map<number, Work>} */
const works = new Map();
let made = 0;

/** @param {number} id @returns {Work} */
function workOf(id) {
  const work = works.get(id);
  if (!work) throw new Error(`no work ${id}`);
  return work;
}

const bench = {
  /** @param {EngineName} engine @param {Task} task @returns {Promise<number>} its id */
  async open(engine, task) {
    works.set(++made, await openers[engine](task, await files()));
    return made;
  },

  /** @param {number} id @param {number} times @param {number} slice @returns {Promise<number>} milliseconds of all */
  async run(id, times, slice) {
    const work = workOf(id);
    const start = performance.now();
    await work.run(times, slice);
    return performance.now() - start;
  },

  /** Ends a work and gives its last losses, none where it has none. @param {number} id @returns {Promise<number[]>} */
  async close(id) {
    const work = workOf(id);
    works.delete(id);
    const losses = (await work.losses?.()) ?? [];
    work.free();
    if (!losses.every(Number.isFinite)) throw new Error(`the losses are ${losses}`);
    return losses;
  },

  /** What the browser tells of its adapter. */
  async adapter() {
    const info = (await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }))?.info;
    if (!info) return null;
    const { vendor, architecture, device, description, isFallbackAdapter } = info;
    return { vendor, architecture, device, description, isFallbackAdapter };
  },
};

/** @typedef {typeof bench} Bench */

Object.assign(self, { bench });
