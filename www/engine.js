// The one importer of the wasm package.

import init, { Forge, checkpointSettings, describe, resolve } from './pkg/digit_forge_wasm.js';

export { Forge };

/** Fetches and compiles the module. */
export const openEngine = () => init();

/** @returns {import('./protocol.js').Description} */
export const description = () => JSON.parse(describe());

/** @param {string} text @returns {import('./protocol.js').Resolved} */
export const resolved = (text) => JSON.parse(resolve(text));

/** Of a file that a run with these settings can load; else an error named by a CheckpointFault. @param {Uint8Array} file */
export const settingsOf = (file) => resolved(checkpointSettings(file));
