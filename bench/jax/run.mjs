// `npm run bench:jax`: a training step of the preset `quick` by JAX's CPU code and by Digit Forge's, each on the same one
// core, in turns (A B B A). JAX is installed into a folder of its own on the first run.
//
//     node bench/jax/run.mjs [--blocks N] [--core N] [--json FILE] [--program FILE]
//
// --program times a built digit-forge instead of building it.

import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Explained, environment, heard, shown } from '../../scripts/command.mjs';
import { inRoot } from '../../scripts/places.mjs';

/** Seconds that JAX's formulations of the convolutions compete for. */
const TUNING = 20;
/** Seconds of each turn. */
const TURN = 1;
/** Ours also times its bare products in between, which takes about as long again. */
const OURS = 2;

const folder = inRoot('.tools', 'jax');
const requirements = inRoot('bench', 'jax', 'requirements.txt');

/** The Python that has JAX. @returns {Promise<string>} */
async function pythonWithJax() {
  const python = join(folder, 'bin', 'python');
  const installed = join(folder, 'requirements.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return python;
  rmSync(folder, { recursive: true, force: true });
  await shown('python3', ['-m', 'venv', folder]);
  await shown(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
  copyFileSync(requirements, installed);
  return python;
}

/** The built program. @returns {Promise<string>} */
async function program() {
  await shown('cargo', ['build', '--release', '--quiet', '-p', 'digit-forge-cli']);
  const metadata = heard('cargo', ['metadata', '--no-deps', '--format-version', '1']);
  if (!metadata) throw new Explained('`cargo metadata` failed.');
  return join(JSON.parse(metadata).target_directory, 'release', 'digit-forge');
}

/**
 * A running step.py: give it an order, get its answer.
 * @param {string} python
 * @param {string} core
 */
function jax(python, core) {
  const flags = '--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1';
  const env = { ...environment(), XLA_FLAGS: flags, JAX_PLATFORMS: 'cpu' };
  const child = spawn('taskset', ['-c', core, python, inRoot('bench', 'jax', 'step.py')], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  /** @type {Promise<never>} */
  const ended = new Promise((_, fail) => {
    child.on('error', (error) => fail(new Explained(`taskset could not start: ${error.message}`)));
    child.on('close', (code) => fail(new Explained(`step.py ended with ${code}`)));
  });
  ended.catch(() => {});
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    /** @param {string} order */
    async ask(order) {
      child.stdin.write(`${order}\n`);
      const { value } = await Promise.race([lines.next(), ended]);
      if (value === undefined) throw new Explained('step.py said nothing.');
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

/**
 * Milliseconds of a step of ours, from a process of its own.
 * @param {string} binary
 * @param {string} core
 * @returns {number}
 */
function ours(binary, core) {
  const file = join(tmpdir(), `digit-forge-bench-${process.pid}.json`);
  const args = ['bench', '--only', 'steps', '--settings', 'preset=quick', '--seconds', `${OURS}`, '--json', file];
  if (heard('taskset', ['-c', core, binary, ...args]) === undefined) throw new Explained(`${binary} bench failed.`);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return report.steps[0].ms.median;
}

/**
 * The median, and between which values it lies with 95 % certainty (order statistics).
 * @param {number[]} values
 */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const cut = Math.max(0, Math.floor(n / 2 - 0.98 * Math.sqrt(n)));
  const middle = (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
  return { median: middle, low: sorted[cut], high: sorted[n - 1 - cut], count: n };
}

async function main() {
  const { values } = parseArgs({
    options: {
      blocks: { type: 'string', default: '12' },
      core: { type: 'string', default: `${availableParallelism() - 1}` },
      json: { type: 'string', default: inRoot('bench', 'results', 'jax.json') },
      program: { type: 'string' },
    },
  });
  const blocks = Number(values.blocks);
  if (!(Number.isInteger(blocks) && blocks > 0)) throw new Explained('--blocks: expected a positive whole number');
  const binary = values.program ?? (await program());
  const theirs = jax(await pythonWithJax(), values.core);
  const before = loadavg()[0];
  const tuned = await theirs.ask(`tune ${TUNING}`);
  for (const [name, ms] of Object.entries(tuned.ms)) console.log(`JAX, ${name.padEnd(22)} ${ms.toFixed(3)} ms`);

  /** @type {{ jax: number[], ours: number[], ratios: number[] }} */
  const samples = { jax: [], ours: [], ratios: [] };
  for (let block = 0; block < blocks; block++) {
    const first = (await theirs.ask(`run ${TURN}`)).ms;
    const own = [ours(binary, values.core), ours(binary, values.core)];
    const last = (await theirs.ask(`run ${TURN}`)).ms;
    console.error(`block ${block + 1} of ${blocks}: JAX ${first.toFixed(3)} ${last.toFixed(3)}, ours ${own.map((ms) => ms.toFixed(3)).join(' ')} ms`);
    samples.jax.push(first, last);
    samples.ours.push(...own);
    samples.ratios.push((first + last) / (own[0] + own[1]));
  }
  const { losses } = await theirs.ask('run 0');
  theirs.end();

  const [jaxMs, oursMs, ratio] = [samples.jax, samples.ours, samples.ratios].map(median);
  for (const [name, m] of /** @type {const} */ ([['JAX, ms', jaxMs], ['Digit Forge, ms', oursMs], ['JAX ÷ ours', ratio]])) {
    console.log(`${name.padEnd(16)} ${m.median.toFixed(3)} (${m.low.toFixed(3)}–${m.high.toFixed(3)}), ${m.count}`);
  }
  const report = {
    what: 'a training step of the preset quick, both on one core',
    machine: { processor: cpus()[0]?.model, threads: availableParallelism(), core: Number(values.core) },
    load: [before, loadavg()[0]],
    jax: { version: tuned.version, formulations: tuned.ms, formulation: tuned.formulation, ms: jaxMs, losses },
    digitForge: { ms: oursMs },
    ratio,
  };
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(values.json);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Explained ? error.message : error);
  process.exitCode = 1;
}
