// The one importer of the wasm package.

import init, { Forge, describe, resolve } from './pkg/digit_forge_wasm.js';

export { Forge };

/** Fetches and compiles the module. */
export const openEngine = () => init();

/** @returns {import('./protocol.js').Description} */
export const description = () => JSON.parse(describe());

/** @param {string} text @returns {import('./protocol.js').Resolved} */
export const resolved = (text) => JSON.parse(resolve(text));
