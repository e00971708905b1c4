// The engine for the page: the wasm crate, compiled, bound to JavaScript (www/pkg) and optimised. And the same with what
// only the benches need (bench/pkg).

import { readFileSync, renameSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Explained, heard, shown, wasmEnvironment } from './command.mjs';
import { digest, isFresh, markFresh } from './freshness.mjs';
import { inRoot } from './places.mjs';
import { size } from './report.mjs';
import { target } from './target.mjs';
import { bindgenVersion } from './tools.mjs';

const name = 'digit_forge_wasm';
const inputs = ['Cargo.toml', 'Cargo.lock', '.cargo', 'crates/core', 'crates/wasm', 'scripts/wasm.mjs', 'package-lock.json'];

// What every browser with WebGPU or SIMD understands, and rustc may emit. Never --all-features: that lets the
// optimiser use proposals which browsers reject.
const features = [
  'simd', 'bulk-memory', 'bulk-memory-opt', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals',
  'reference-types', 'multivalue',
].map((feature) => `--enable-${feature}`);

/** @returns {Promise<string>} */
export const buildWasm = () => build('wasm', 'www/pkg', []);

/** @returns {Promise<string>} */
export const buildBenchWasm = () => build('bench-wasm', 'bench/pkg', ['--features', 'bench']);

/**
 * @param {string} stamp
 * @param {string} pkg the folder for it
 * @param {string[]} options for cargo
 */
async function build(stamp, pkg, options) {
  const env = wasmEnvironment();
  const now = digest(inputs, [heard('rustc', ['--version'], { env }) ?? '', bindgenVersion()]);
  const outputs = [`${pkg}/${name}.js`, `${pkg}/${name}.d.ts`, `${pkg}/${name}_bg.wasm`];
  const bytes = inRoot(pkg, `${name}_bg.wasm`);
  const sizes = () => `${size(readFileSync(bytes).length)}, ${size(gzipSync(readFileSync(bytes)).length)} gzipped`;
  if (isFresh(stamp, now, outputs)) return `unchanged, ${sizes()}`;

  await shown('cargo', ['build', '--release', '--target', target, '-p', 'digit-forge-wasm', ...options], { env });
  const folder = JSON.parse(heard('cargo', ['metadata', '--format-version', '1', '--no-deps'], { env }) ?? '{}').target_directory;
  if (!folder) throw new Explained('cargo metadata names no target directory.');
  const raw = `${folder}/${target}/release/${name}.wasm`;

  rmSync(inRoot(pkg), { recursive: true, force: true });
  await shown('wasm-bindgen', ['--target', 'web', '--out-dir', inRoot(pkg), '--out-name', name, raw], { env });
  await shown(process.execPath, [
    inRoot('node_modules/binaryen/bin/wasm-opt'), '-O3', ...features, '--strip-producers', bytes, '-o', `${bytes}.partial`,
  ]);
  renameSync(`${bytes}.partial`, bytes);
  markFresh(stamp, now);
  return sizes();
}
