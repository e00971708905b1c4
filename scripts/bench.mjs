// `npm run bench`: this project beside TensorFlow.js and jax-js in one page of one headless Chromium, in turns. Prints a
// table and writes bench/results/<date>-<adapter>.json; a part of the groups gets a file of its own.
//
//   --only step,quick,products,counts   only these groups
//   --seconds 60                        for each pair; a single product gets a twentieth
//   --rounds 20                         of A B B A, at most
//   --gpu                               the machine's own adapter instead of SwiftShader

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findBrowsers } from './browsers.mjs';
import { Explained, shown } from './command.mjs';
import { explain } from './failure.mjs';
import { inRoot, readJson, root } from './places.mjs';
import { bold, dim, say, seconds as secondsOf } from './report.mjs';
import { perform } from './steps.mjs';

const groups = ['step', 'quick', 'products', 'counts'];
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: groups.join(',') },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '20' },
    gpu: { type: 'boolean', default: false },
  },
});

/** @param {string} name @param {string} text */
function positive(name, text) {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new Explained(`--${name} ${text}: a positive number is needed.`);
  return value;
}

function options() {
  const only = values.only.split(',');
  const unknown = only.filter((name) => !groups.includes(name));
  if (unknown.length) throw new Explained(`Unknown: ${unknown.join(', ')}. The groups are ${groups.join(', ')}.`);
  const budget = { seconds: positive('seconds', values.seconds), rounds: Math.ceil(positive('rounds', values.rounds)) };
  return { only, budget, gpu: values.gpu };
}

/** The commit, and whether the files differ from it. */
function commit() {
  try {
    const git = (/** @type {string[]} */ ...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no');
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed && ', changed'}`;
  } catch {
    return 'unknown';
  }
}

/** The versions of what is compared. */
const packages = () =>
  Object.fromEntries(
    ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-webgpu', '@tensorflow/tfjs-backend-wasm', '@jax-js/jax'].map((name) => [
      name,
      readJson(`bench/node_modules/${name}/package.json`).version,
    ]),
  );

const notes = [
  'The peers use one batch of real images in every step; ours gathers a new one.',
  'G goes forward once a step in every engine. Peers wait for their device after 8 steps or at the end of a measurement.',
  "TensorFlow.js's wasm backend has no Conv2DBackpropFilter: there the gradient is written as a dilated convolution.",
  'jax-js has its convolutions channels first.',
  'No page is isolated, so every engine has one thread, but for forge-cpu-2: two workers that share no memory.',
  'Below six rounds the interval is the range of the rounds and has no confidence.',
];

async function run() {
  const { only, budget, gpu } = options();
  await perform('benchPackages');
  await perform('benchWasm');
  await perform('wasm');
  await shown(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), '-p', inRoot('bench')]);
  if (!findBrowsers().CHROMIUM) await perform('browsers');
  // Only here, because the packages are installed by now.
  const { launchChromium } = await import('../tests/browser/chromium.js');
  const { countSteps } = await import('../bench/counts.js');
  const { Session, productSums } = await import('../bench/groups.js');
  const { ask } = await import('../bench/measure.js');
  const { countsTable, load, machine, table } = await import('../bench/report.js');
  const { serve } = await import('../bench/server.js');

  const start = new Date();
  const loads = { start: load(), end: 0 };
  const site = await serve();
  const browser = await launchChromium({ adapter: gpu ? 'any' : 'swiftshader' });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => say(`the page: ${error.message}`));
    await page.goto(site.address);
    await page.waitForFunction(() => 'bench' in self);
    const adapter = await ask(page, 'adapter');
    const adapterName = [adapter?.vendor, adapter?.architecture].filter(Boolean).join('-') || 'no-adapter';
    console.log(`${bold('Benches')} on ${adapterName}, Chromium ${browser.version()}, load ${loads.start}`);

    const session = new Session(page, budget, say);
    if (only.includes('step')) await session.step('mlp');
    if (only.includes('quick')) await session.step('quick');
    if (only.includes('products')) await session.products();
    const counted = /** @type {const} */ (['forge-gpu', 'jax-webgpu', 'tfjs-webgpu']);
    const counts = [];
    if (only.includes('counts')) {
      for (const model of /** @type {const} */ (['mlp', 'quick'])) {
        counts.push(...(await countSteps(browser, site.address, counted, model)));
      }
    }

    loads.end = load();
    const { results, failures, leftOut } = session.outcome;
    const sums = productSums(results);
    const report = {
      date: start.toISOString(), commit: commit(), machine: { ...machine(), load: loads },
      browser: { name: 'Chromium', version: browser.version() }, adapter, packages: packages(), only, budget, notes, results,
      productSums: sums, failures, leftOut, counts,
    };
    mkdirSync(inRoot('bench/results'), { recursive: true });
    const part = groups.every((name) => only.includes(name)) ? '' : `-${only.join('-')}`;
    const file = `bench/results/${start.toISOString().slice(0, 10)}-${adapterName}${part}.json`;
    writeFileSync(inRoot(file), `${JSON.stringify(report, null, 1)}\n`);

    if (results.length) console.log(`\n${table(results)}\n${dim('{…} is the range of fewer than six rounds')}`);
    for (const { a, b, aMs, bMs, ratio } of sums) {
      console.log(`all products of the MLP's step: ${a} ${aMs.toFixed(1)} ms, ${b} ${bMs.toFixed(1)} ms, ${ratio.toFixed(2)}`);
    }
    if (counts.length) console.log(`\n${countsTable(counts)}`);
    for (const { task, a, b } of leftOut) console.log(`left out as too long: ${task}, ${a} against ${b}`);
    for (const { task, a, b, error } of failures) console.log(`failed: ${task}, ${a} against ${b}: ${error}`);
    console.log(`\n${file}, load ${loads.start} to ${loads.end}, ${secondsOf(Date.now() - start.getTime())}`);
    if (failures.length) process.exitCode = 1;
  } finally {
    await browser.close();
    site.close();
  }
}

await run().catch(explain);
