// The npm packages, exactly as the lock file says.

import { statSync } from 'node:fs';
import { npm } from './command.mjs';
import { inRoot } from './places.mjs';

/** @param {string} path */
const changed = (path) => statSync(inRoot(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Those of a folder with a lock file. @param {string} folder @returns {Promise<string>} */
async function ensure(folder) {
  // npm writes this file at the end of every installation.
  if (changed(`${folder}/node_modules/.package-lock.json`) >= changed(`${folder}/package-lock.json`)) return 'present';
  await npm(['ci', '--no-fund', '--no-audit', '--prefix', inRoot(folder)]);
  return 'installed';
}

export const ensurePackages = () => ensure('.');

/** What the benches compare with. */
export const ensureBenchPackages = () => ensure('bench');
