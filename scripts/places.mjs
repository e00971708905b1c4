// Where things lie: the project's own folders, and the cache that all checkouts of one user share.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The repository's root. */
export const root = resolve(import.meta.dirname, '..');

/** @param {...string} parts a path inside the repository */
export const inRoot = (...parts) => join(root, ...parts);

/** Tools that took minutes to build are kept here, one folder a version. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'digit-forge');

/** The tools this checkout uses, linked from the cache. */
export const toolsBin = inRoot('.tools', 'bin');

/**
 * @param {string} path in the repository
 * @returns {any}
 */
export const readJson = (path) => JSON.parse(readFileSync(inRoot(path), 'utf8'));
