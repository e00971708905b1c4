// Everything that set-up can do, as steps which know what they need. `perform` runs a step after its needs, once.

import { ensureBrowsers } from './browsers.mjs';
import { prepareData } from './data.mjs';
import { ensureBenchPackages, ensurePackages } from './packages.mjs';
import { checkPrerequisites } from './prerequisites.mjs';
import { began, broke, ended } from './report.mjs';
import { buildSite } from './site.mjs';
import { ensureTarget } from './target.mjs';
import { ensureBindgen, ensureWasmPack } from './tools.mjs';
import { buildBenchWasm, buildClinic, buildWasm } from './wasm.mjs';

/**
 * @typedef {object} Step
 * @property {string} label
 * @property {string[]} needs
 * @property {() => string | Promise<string>} run says in a few words what came of it
 */

/** @type {Record<string, Step>} */
export const steps = {
  prerequisites: { label: 'Prerequisites', needs: [], run: checkPrerequisites },
  target: { label: 'WebAssembly target', needs: ['prerequisites'], run: ensureTarget },
  bindgen: { label: 'wasm-bindgen', needs: ['prerequisites'], run: ensureBindgen },
  wasmPack: { label: 'wasm-pack', needs: ['prerequisites'], run: ensureWasmPack },
  packages: { label: 'npm packages', needs: ['prerequisites'], run: ensurePackages },
  data: { label: 'MNIST', needs: ['packages'], run: prepareData },
  wasm: { label: 'Engine', needs: ['target', 'bindgen', 'packages'], run: buildWasm },
  clinic: { label: 'Clinic', needs: ['wasm'], run: buildClinic },
  benchPackages: { label: 'Packages to compare with', needs: ['packages'], run: ensureBenchPackages },
  benchWasm: { label: 'Engine for the benches', needs: ['target', 'bindgen', 'packages'], run: buildBenchWasm },
  site: { label: 'Site', needs: ['data', 'wasm', 'clinic'], run: buildSite },
  browsers: { label: 'Browsers for the tests', needs: [], run: ensureBrowsers },
};

/** @type {Map<string, Promise<void>>} */
const performed = new Map();

/** Seconds of every step that ran, by label. @type {Map<string, number>} */
export const durations = new Map();

/**
 * @param {...string} names of steps
 * @returns {Promise<void>} rejects with the first failure, also when that happened in an earlier call
 */
export async function perform(...names) {
  for (const name of names) {
    if (!performed.has(name)) performed.set(name, performOne(steps[name]));
    await performed.get(name);
  }
}

/** @param {Step} step */
async function performOne({ label, needs, run }) {
  await perform(...needs);
  const start = performance.now();
  began(label);
  try {
    const outcome = await run();
    ended(label, outcome, performance.now() - start);
  } catch (error) {
    broke(label, performance.now() - start);
    throw error;
  } finally {
    durations.set(label, performance.now() - start);
  }
}
