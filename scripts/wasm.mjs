// The engine for the page: the wasm crate, compiled, bound to JavaScript (www/pkg) and optimised. Twice: once for every
// browser, and once with the fused products of "relaxed SIMD" for those that have them (www/engine.js chooses). And the same
// with what only the benches need (bench/pkg).

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Explained, heard, shown, wasmEnvironment } from './command.mjs';
import { digest, isFresh, markFresh } from './freshness.mjs';
import { shortenImports } from './imports.mjs';
import { inRoot } from './places.mjs';
import { size } from './report.mjs';
import { target } from './target.mjs';
import { bindgenVersion } from './tools.mjs';

const name = 'digit_forge_wasm';
const inputs = [
  'Cargo.toml', 'Cargo.lock', '.cargo', 'crates/core', 'crates/wasm', 'scripts/wasm.mjs', 'scripts/imports.mjs',
  'package-lock.json',
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

/** What the page may fetch to run the engine, in bytes as a server sends it. The goal is 150,000. */
const MOST = 262_000;

/**
 * @typedef {object} Build
 * @property {string} file in www/pkg
 * @property {string[]} cargo more options for cargo
 * @property {string[]} optimiser more options for wasm-opt
 */

/** @type {Build[]} */
const builds = [
  { file: `${name}_bg.wasm`, cargo: [], optimiser: [] },
  {
    file: `${name}_relaxed.wasm`,
    cargo: ['--config', `target.${target}.rustflags=["-Ctarget-feature=+relaxed-simd"]`],
    optimiser: ['--enable-relaxed-simd'],
  },
];

/**
 * @param {Build} build
 * @param {string[]} options for cargo
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder of cargo's results
 * @returns {Promise<{glue: string, types: string[], wasm: Uint8Array}>}
 */
async function compile({ cargo, optimiser }, options, env, folder) {
  const crate = ['-p', 'digit-forge-wasm', '--crate-type', 'cdylib', ...options];
  await shown('cargo', ['rustc', '--profile', 'wasm', '--target', target, ...crate, ...cargo, '--', ...small], { env });
  const raw = `${folder}/${target}/wasm/${name}.wasm`;
  const bound = `${folder}/${target}/wasm/bound`;
  await shown('wasm-bindgen', ['--target', 'web', '--out-dir', bound, '--out-name', name, raw], { env });
  const bytes = `${bound}/${name}_bg.wasm`;
  await shown(process.execPath, [
    inRoot('node_modules/binaryen/bin/wasm-opt'), '-O3', '--converge', ...features, ...optimiser, '--strip-producers', bytes, '-o', bytes,
  ]);
  const text = (/** @type {string} */ end) => readFileSync(`${bound}/${name}${end}`, 'utf8');
  return { glue: text('.js'), types: ['.d.ts', '_bg.wasm.d.ts'].map(text), wasm: readFileSync(bytes) };
}

/** @returns {Promise<string>} */
export const buildWasm = () => build('wasm', 'www/pkg', builds, [], MOST);

/** What a current Chromium gets, under the plain name. @returns {Promise<string>} */
export const buildBenchWasm = () =>
  build('bench-wasm', 'bench/pkg', [{ ...builds[1], file: builds[0].file }], ['--features', 'bench'], Infinity);

/**
 * @param {string} stamp
 * @param {string} place the folder for it
 * @param {Build[]} builds
 * @param {string[]} options for cargo
 * @param {number} most bytes, gzipped
 */
async function build(stamp, place, builds, options, most) {
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
  for (const build of builds) made.push(await compile(build, options, env, folder));
  const [{ glue, types }, ...others] = made;
  if (others.some((other) => other.glue !== glue)) throw new Explained('The two builds of the engine need different glue.');

  const shortened = shortenImports(glue, made.map(({ wasm }) => wasm));
  rmSync(pkg, { recursive: true, force: true });
  mkdirSync(pkg, { recursive: true });
  writeFileSync(`${pkg}/${name}.js`, shortened.glue);
  ['.d.ts', '_bg.wasm.d.ts'].forEach((end, i) => writeFileSync(`${pkg}/${name}${end}`, types[i]));
  builds.forEach(({ file }, i) => writeFileSync(`${pkg}/${file}`, shortened.modules[i]));
  for (const wasm of shortened.modules) {
    const packed = gzipSync(wasm).length;
    if (packed > most) throw new Explained(`The engine is ${size(packed)} gzipped, and may be ${size(most)}.`);
  }
  markFresh(stamp, now);
  return sizes();
}
