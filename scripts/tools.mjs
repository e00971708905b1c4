// The two Rust tools of the WebAssembly build, compiled once a version into the user's cache and linked into .tools/bin.
// They are built without optimisation: that takes a minute instead of ten, and their own work is short.

import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Explained, environment, heard, shown } from './command.mjs';
import { cache, inRoot, toolsBin } from './places.mjs';
import { say } from './report.mjs';

const suffix = process.platform === 'win32' ? '.exe' : '';

/** wasm-bindgen's tool reads what its crate wrote, so the lock file's version is the only right one. */
export function bindgenVersion(lock = readFileSync(inRoot('Cargo.lock'), 'utf8')) {
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock.replaceAll('\r', ''))?.[1];
  if (!version) throw new Explained('Cargo.lock names no version of wasm-bindgen.');
  return version;
}

/** @returns {Promise<string>} */
export const ensureBindgen = () => ensure('wasm-bindgen-cli', bindgenVersion(), ['wasm-bindgen', 'wasm-bindgen-test-runner']);

/** @returns {Promise<string>} */
export const ensureWasmPack = () => ensure('wasm-pack', '0.15.1', ['wasm-pack']);

/**
 * @param {string} crate
 * @param {string} version
 * @param {[string, ...string[]]} programs the first of them tells its version
 */
async function ensure(crate, version, programs) {
  const tool = programs[0];
  const folder = join(cache, `${tool}-${version}`);
  const works = () => heard(join(folder, 'bin', tool + suffix), ['--version'])?.split(' ')[1] === version;
  const found = works();
  if (!found) {
    say(`Compiling ${crate} ${version} into ${folder}: a few minutes, once.`);
    await shown('cargo', ['install', '--debug', '--force', crate, '--version', version, '--root', folder], {
      env: { ...environment(), CARGO_TARGET_DIR: join(folder, 'target') },
    });
    rmSync(join(folder, 'target'), { recursive: true, force: true });
    if (!works()) throw new Explained(`${join(folder, 'bin', tool)} is not version ${version}.`);
  }
  for (const program of programs) link(join(folder, 'bin', program + suffix), join(toolsBin, program + suffix));
  return `${version} ${found ? 'present' : 'compiled'}`;
}

/** @param {string} program @param {string} place */
function link(program, place) {
  mkdirSync(toolsBin, { recursive: true });
  rmSync(place, { force: true });
  // Links need a privilege on Windows.
  if (process.platform === 'win32') copyFileSync(program, place);
  else symlinkSync(program, place);
}
