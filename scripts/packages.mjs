// The npm packages, exactly as the lock file says.

import { statSync } from 'node:fs';
import { npm } from './command.mjs';
import { inRoot } from './places.mjs';

/** @param {string} path */
const changed = (path) => statSync(inRoot(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** @returns {Promise<string>} */
export async function ensurePackages() {
  // npm writes this file at the end of every installation.
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return 'present';
  await npm(['ci', '--no-fund', '--no-audit']);
  return 'installed';
}
