// The stages of `npm test`: what each needs from set-up, what it runs, and how its tests are counted.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findBrowsers } from './browsers.mjs';
import { Explained, environment, wasmEnvironment } from './command.mjs';
import { cargoCounts, nodeCounts, oneCheck } from './counts.mjs';
import { inRoot } from './places.mjs';
import { target } from './target.mjs';

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string[]} needs steps of set-up (steps.mjs)
 * @property {() => [string, ...string[]]} [command] none where the steps themselves are the check
 * @property {() => NodeJS.ProcessEnv} [env]
 * @property {string} [cwd] in the repository
 * @property {(output: string, exitedWell: boolean) => import('./counts.mjs').Counts} counts
 * @property {number} minutes after which it is ended as hanging
 */

/**
 * A folder's test files, named one by one: Node's versions treat a folder differently, and without any name Node would
 * run whatever looks like a test.
 * @param {string} folder
 * @returns {string[]}
 */
function testFiles(folder) {
  const all = existsSync(inRoot(folder)) ? readdirSync(inRoot(folder), { recursive: true, encoding: 'utf8' }) : [];
  const tests = all.filter((file) => file.endsWith('.test.js')).sort();
  if (!tests.length) throw new Explained(`${folder} has no tests.`);
  return tests.map((file) => join(folder, file));
}

/** @param {string} folder @param {...string} flags @returns {[string, ...string[]]} */
const nodeTests = (folder, ...flags) => [process.execPath, '--test', '--test-reporter=spec', ...flags, ...testFiles(folder)];

/** Browsers and the software GPU for tests, each under the name of its environment variable. */
const testEnvironment = () => ({ ...environment(), ...findBrowsers(), REQUIRE_GPU: '1' });

/** @type {Stage[]} */
export const stages = [
  {
    name: 'format',
    needs: ['prerequisites'],
    command: () => ['cargo', 'fmt', '--all', '--check'],
    counts: oneCheck,
    minutes: 2,
  },
  {
    name: 'clippy',
    needs: ['prerequisites'],
    command: () => ['cargo', 'clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'],
    counts: oneCheck,
    minutes: 20,
  },
  {
    name: 'clippy-wasm',
    needs: ['target'],
    command: () => ['cargo', 'clippy', '-p', 'digit-forge-wasm', '-p', 'digit-forge-clinic', '--all-targets', '--all-features', '--target', target, '--', '-D', 'warnings'],
    env: wasmEnvironment,
    counts: oneCheck,
    minutes: 20,
  },
  {
    // By itself, since it takes the core without what a GPU needs.
    name: 'clippy-clinic',
    needs: ['target'],
    command: () => ['cargo', 'clippy', '-p', 'digit-forge-clinic', '--target', target, '--', '-D', 'warnings'],
    env: wasmEnvironment,
    counts: oneCheck,
    minutes: 20,
  },
  {
    name: 'cargo',
    needs: ['data', 'browsers'],
    command: () => ['cargo', 'test', '--workspace', '--no-fail-fast'],
    env: testEnvironment,
    counts: cargoCounts,
    minutes: 30,
  },
  {
    name: 'docs',
    needs: ['prerequisites'],
    command: () => ['cargo', 'doc', '--workspace', '--no-deps'],
    env: () => ({ ...environment(), RUSTDOCFLAGS: '-D warnings' }),
    counts: oneCheck,
    minutes: 20,
  },
  {
    name: 'wasm',
    needs: ['target', 'bindgen', 'wasmPack', 'browsers'],
    command: () => {
      const driver = findBrowsers().CHROMEDRIVER ?? 'chromedriver';
      return ['wasm-pack', 'test', '--headless', '--chrome', '--mode', 'no-install', '--chromedriver', driver];
    },
    // Training on a GPU in software outlasts the runner's own 20 seconds.
    env: () => ({ ...wasmEnvironment(), WASM_BINDGEN_TEST_TIMEOUT: '600' }),
    cwd: 'crates/wasm',
    counts: cargoCounts,
    minutes: 25,
  },
  {
    name: 'types',
    needs: ['clinic'],
    command: () => [process.execPath, inRoot('node_modules/typescript/bin/tsc'), '--pretty', 'false'],
    counts: oneCheck,
    minutes: 5,
  },
  {
    name: 'unit',
    needs: ['clinic', 'data'],
    command: () => nodeTests('tests/unit'),
    counts: nodeCounts,
    minutes: 10,
  },
  { name: 'build', needs: ['site'], counts: oneCheck, minutes: 10 },
  {
    name: 'browser',
    needs: ['site', 'browsers'],
    // One at a time: what they measure is seconds.
    command: () => nodeTests('tests/browser', '--test-concurrency=1'),
    env: testEnvironment,
    counts: nodeCounts,
    minutes: 30,
  },
];
