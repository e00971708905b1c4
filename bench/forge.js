// Digit Forge's two engines: the trainer as the page drives it, alone or with workers beside it, and the products that a build
// with the feature `bench` offers.

import { Crew } from '../www/crew/crew.js';
import { Forge, openEngine } from '../www/engine.js';
import { settings } from './tasks.js';

/** @typedef {import('./tasks.js').Task} Task */
/** @typedef {import('./page.js').Work} Work */

/**
 * @typedef {object} Workbench
 * @property {(times: number) => void} run
 * @property {() => Promise<void>} settle
 * @property {() => void} destroy
 */

/**
 * The package with the feature `bench`.
 * @typedef {typeof import('../www/pkg/digit_forge_wasm.js') & { Workbench: {
 *   product(engine: string, m: number, k: number, n: number, transposed: string): Promise<Workbench>,
 *   bareProducts(engine: string, settings: string): Promise<Workbench> } }} Package
 */

/** @type {Promise<Package> | undefined} */
let opening;

/** @returns {Promise<Package>} */
const forge = () =>
  (opening ??= (async () => {
    // Not a literal, since the package is there only once it is built.
    const name = './pkg/digit_forge_wasm.js';
    const module = /** @type {Package} */ (await import(name));
    await module.default();
    return module;
  })());

/**
 * @param {'gpu' | 'cpu'} engine
 * @param {Task} task
 * @param {import('./page.js').Files} files
 * @returns {Promise<Work>}
 */
export async function openForge(engine, task, files) {
  const { Forge, Workbench } = await forge();
  if (task.kind === 'step') {
    const text = settings[task.model];
    const run = engine === 'gpu' ? await Forge.gpu(text) : Forge.cpu(text);
    run.add_data(files.images, files.labels);
    return { ...replayed(run), losses: async () => [...(await run.metrics())].slice(-4, -2) };
  }
  const bench =
    task.kind === 'bare'
      ? Workbench.bareProducts(engine, settings[task.model])
      : Workbench.product(engine, task.m, task.k, task.n, task.transposed);
  return replayed(await bench);
}

/**
 * A step by several workers, with the page's own build.
 * @param {number} count
 * @param {Task} task
 * @param {import('./page.js').Files} files
 * @returns {Promise<Work>}
 */
export async function openCrew(count, task, files) {
  if (task.kind !== 'step') throw new Error('workers share steps alone');
  const text = settings[task.model];
  await openEngine();
  const leader = Forge.shard(text, undefined, 0, count);
  const crew = Crew.of(leader, count);
  await crew.ready(text, undefined);
  crew.add_data(files.images, files.labels);
  return {
    run: (times) => crew.run(times),
    losses: async () => [...(await leader.metrics())].slice(-4, -2),
    free() {
      crew.end();
      leader.destroy();
    },
  };
}

/** @param {Workbench | Forge} bench @returns {Work} */
const replayed = (bench) => ({
  async run(times, slice) {
    for (let left = times; left > 0; left -= slice) bench.run(Math.min(slice, left));
    await bench.settle();
  },
  free: () => bench.destroy(),
});
