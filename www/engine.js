// The one importer of the wasm package. Of its two builds, the one with fused products is taken where the browser knows
// these instructions: it trains a tenth faster.

import init, { Forge, checkpointSettings, describe, networks, prepare, resolve, rules, shards } from './pkg/digit_forge_wasm.js';

export { Forge, prepare, shards };

/** A module of one function that multiplies and adds, `f32x4.relaxed_madd`. */
const PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, // "\0asm", version 1
  1, 5, 1, 96, 0, 1, 123, // types: () → v128
  3, 2, 1, 0, // functions: one of that type
  10, 19, 1, 17, 0, 65, 1, 253, 15, 65, 1, 253, 15, 65, 1, 253, 15, 253, 133, 2, 11,
);

/** Where the module is that suits this browser. @param {(module: Uint8Array<ArrayBuffer>) => boolean} valid */
export function engineUrl(valid = WebAssembly.validate) {
  return valid(PROBE)
    ? new URL('./pkg/digit_forge_wasm_relaxed.wasm', import.meta.url)
    : new URL('./pkg/digit_forge_wasm_bg.wasm', import.meta.url);
}

/** Fetches and compiles the module. */
export const openEngine = () => init({ module_or_path: engineUrl() });

/** @returns {import('./protocol.js').Description} */
export const description = () => ({ ...JSON.parse(describe()), rules: JSON.parse(rules()) });

/** @param {string} text @returns {import('./protocol.js').Resolved} */
export const resolved = (text) => JSON.parse(resolve(text));

/** Of settings that are valid. @param {string} text @returns {import('./protocol.js').Network[]} */
export const networksOf = (text) => JSON.parse(networks(text));

/** Of a file that a run with these settings can load; else an error named by a CheckpointFault. @param {Uint8Array} file */
export const settingsOf = (file) => resolved(checkpointSettings(file));
