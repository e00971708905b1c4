// The engine for the page: the wasm crate, compiled, bound to JavaScript (www/pkg) and optimised. Twice: once for every
// browser, and once with the fused products of "relaxed SIMD" for those that have them (www/engine.js chooses). The same with
// what only the benches need (bench/pkg). And the clinic, which reads digits in a worker of its own (www/clinic/pkg).

import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Explained, heard, shown, wasmEnvironment } from './command.mjs';
import { digest, isFresh, markFresh } from './freshness.mjs';
import { shortenImports } from './imports.mjs';
import { placed } from './order.mjs';
import { inRoot } from './places.mjs';
import { size } from './report.mjs';
import { target } from './target.mjs';
import { bindgenVersion } from './tools.mjs';

const inputs = [
  'Cargo.toml', 'Cargo.lock', '.cargo', 'crates/core', 'crates/wasm', 'crates/clinic', 'package-lock.json',
  ...['wasm', 'imports', 'order', 'sections'].map((name) => `scripts/${name}.mjs`),
];

// What every browser with WebGPU or SIMD understands, and rustc may emit. Never --all-features: that lets the
// optimiser use proposals which browsers reject.
const features = [
  'simd', 'bulk-memory', 'bulk-memory-opt', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals',
  'reference-types', 'multivalue',
].map((feature) => `--enable-${feature}`);

// Only for the last crate, where everything is linked: what is worth inlining or unrolling has been by then, and more of
// it is a tenth of the file and no faster.
const small = [
  '--inline-threshold=5', '--inlinehint-threshold=20', '--unroll-runtime=false', '--unroll-allow-partial=false',
].map((flag) => `-Cllvm-args=${flag}`);

/** Nor does wasm-opt inline much. */
const plain = ['--one-caller-inline-max-function-size=20', '--flexible-inline-max-function-size=8'];

/** How it writes what it has optimised, when it only moves functions. */
const written = ['--optimize-level=3', '--generate-stack-ir', '--optimize-stack-ir'];

/** What the page may fetch to run the engine, in bytes as a server sends it. The goal is 150,000. */
export const MOST = 270_800;
/** The same for the clinic, which is fetched when somebody wants digits read. */
const MOST_CLINIC = 118_300;

/**
 * @typedef {object} Build
 * @property {string} file in the module's folder
 * @property {string[]} cargo more options for cargo
 * @property {string[]} optimiser more options for wasm-opt
 */

/**
 * @typedef {object} Module
 * @property {string} crate
 * @property {string} place the folder for it
 * @property {Build[]} builds
 * @property {string[]} options for cargo
 * @property {number} most bytes, gzipped
 */

/** @type {Build[]} */
const builds = [
  { file: 'digit_forge_wasm_bg.wasm', cargo: [], optimiser: [] },
  {
    file: 'digit_forge_wasm_relaxed.wasm',
    cargo: ['--config', `target.${target}.rustflags=["-Ctarget-feature=+relaxed-simd"]`],
    optimiser: ['--enable-relaxed-simd'],
  },
];

/**
 * @param {Module} module
 * @param {Build} build
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder of cargo's results
 * @returns {Promise<{glue: string, types: string[], snippets: string[], wasm: Uint8Array}>} `snippets`: paths of our own files that the glue imports
 */
async function compile({ crate, options }, { cargo, optimiser }, env, folder) {
  const name = glueName(crate);
  const what = ['-p', crate, '--crate-type', 'cdylib', ...options];
  await shown('cargo', ['rustc', '--profile', 'wasm', '--target', target, ...what, ...cargo, '--', ...small], { env });
  const raw = `${folder}/${target}/wasm/${name}.wasm`;
  const bound = `${folder}/${target}/wasm/bound`;
  rmSync(bound, { recursive: true, force: true });
  await shown('wasm-bindgen', ['--target', 'web', '--out-dir', bound, '--out-name', name, raw], { env });
  const bytes = `${bound}/${name}_bg.wasm`;
  const optimise = (/** @type {string[]} */ passes) =>
    shown(process.execPath, [
      inRoot('node_modules/binaryen/bin/wasm-opt'), ...features, ...optimiser, ...passes, '--strip-producers', bytes, '-o', bytes,
    ]);
  await optimise(['-O3', '--converge', ...plain]);
  writeFileSync(bytes, placed(readFileSync(bytes)));
  await optimise([...written, '--reorder-functions-by-name', '--strip-debug']);
  const text = (/** @type {string} */ end) => readFileSync(`${bound}/${name}${end}`, 'utf8');
  const files = readdirSync(bound, { recursive: true, encoding: 'utf8' });
  const snippets = files.filter((file) => /^snippets.*\.js$/.test(file)).map((file) => `${bound}/${file}`);
  return { glue: text('.js'), types: ['.d.ts', '_bg.wasm.d.ts'].map(text), snippets, wasm: readFileSync(bytes) };
}

/** @param {string} crate */
const glueName = (crate) => crate.replaceAll('-', '_');

/** @returns {Promise<string>} */
export const buildWasm = () =>
  build('wasm', { crate: 'digit-forge-wasm', place: 'www/pkg', builds, options: [], most: MOST });

/** For speed: what it measures are loops that the compiler makes vectors of. @returns {Promise<string>} */
export const buildClinic = () =>
  build('clinic', {
    crate: 'digit-forge-clinic', place: 'www/clinic/pkg', most: MOST_CLINIC,
    options: ['profile.wasm.opt-level=3', 'profile.wasm.package.digit-forge-core.opt-level=3'].flatMap((level) => ['--config', level]),
    builds: [{ file: 'digit_forge_clinic_bg.wasm', cargo: [], optimiser: [] }],
  });

/** What a current Chromium gets, under the plain name. @returns {Promise<string>} */
export const buildBenchWasm = () =>
  build('bench-wasm', {
    crate: 'digit-forge-wasm', place: 'bench/pkg', options: ['--features', 'bench'], most: Infinity,
    builds: [{ ...builds[1], file: builds[0].file }],
  });

/**
 * @param {string} stamp
 * @param {Module} module
 */
async function build(stamp, module) {
  const { crate, place, builds, most } = module;
  const name = glueName(crate);
  const env = wasmEnvironment();
  const pkg = inRoot(place);
  const outputs = [`${name}.js`, `${name}.d.ts`, ...builds.map(({ file }) => file)].map((file) => `${place}/${file}`);
  const now = digest(inputs, [heard('rustc', ['--version'], { env }) ?? '', bindgenVersion()]);
  const sizes = () =>
    builds
      .map(({ file }) => readFileSync(`${pkg}/${file}`))
      .map((wasm) => `${size(wasm.length)}, ${size(gzipSync(wasm).length)} gzipped`)
      .join('; relaxed ');
  if (isFresh(stamp, now, outputs)) return `unchanged, ${sizes()}`;

  const folder = JSON.parse(heard('cargo', ['metadata', '--format-version', '1', '--no-deps'], { env }) ?? '{}').target_directory;
  if (!folder) throw new Explained('cargo metadata names no target directory.');
  const made = [];
  for (const build of builds) made.push(await compile(module, build, env, folder));
  const [{ glue, types, snippets }, ...others] = made;
  if (others.some((other) => other.glue !== glue)) throw new Explained('The two builds of the engine need different glue.');

  const shortened = shortenImports(glue, made.map(({ wasm }) => wasm));
  rmSync(pkg, { recursive: true, force: true });
  mkdirSync(pkg, { recursive: true });
  writeFileSync(`${pkg}/${name}.js`, shortened.glue);
  ['.d.ts', '_bg.wasm.d.ts'].forEach((end, i) => writeFileSync(`${pkg}/${name}${end}`, types[i]));
  for (const file of snippets) copyFileSync(file, `${pkg}/${basename(file)}`);
  builds.forEach(({ file }, i) => writeFileSync(`${pkg}/${file}`, shortened.modules[i]));
  for (const wasm of shortened.modules) {
    const packed = gzipSync(wasm).length;
    if (packed > most) throw new Explained(`${crate} is ${size(packed)} gzipped, and may be ${size(most)}.`);
  }
  markFresh(stamp, now);
  return sizes();
}
