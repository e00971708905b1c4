// Whether what was built still follows from what it was built from: a digest of all inputs, kept beside the tools.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inRoot, root } from './places.mjs';

/**
 * @param {string[]} paths files and folders of the repository; missing ones count as such
 * @param {string[]} facts whatever else decides the result: versions, options
 */
export function digest(paths, facts = []) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const file of paths.flatMap(filesIn)) {
    hash.update(`\0${file}\0`);
    if (existsSync(inRoot(file))) hash.update(readFileSync(inRoot(file)));
  }
  return hash.digest('hex');
}

/** @param {string} path @returns {string[]} */
function filesIn(path) {
  if (!statSync(inRoot(path), { throwIfNoEntry: false })?.isDirectory()) return [path];
  return readdirSync(inRoot(path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** @param {string} name */
const stamp = (name) => inRoot('.tools', 'stamps', name);

/**
 * @param {string} name of what was built
 * @param {string} inputs their digest now
 * @param {string[]} outputs that must exist
 */
export function isFresh(name, inputs, outputs) {
  if (!outputs.every((file) => existsSync(inRoot(file)))) return false;
  return existsSync(stamp(name)) && readFileSync(stamp(name), 'utf8') === inputs;
}

/** @param {string} name @param {string} inputs */
export function markFresh(name, inputs) {
  mkdirSync(inRoot('.tools', 'stamps'), { recursive: true });
  writeFileSync(stamp(name), inputs);
}
