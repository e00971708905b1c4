// Versions that must agree: wasm-bindgen's tool with its crate, and what the scripts ask for with what they say.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { heard } from '../../../scripts/command.mjs';
import { inRoot, readJson } from '../../../scripts/places.mjs';
import { atLeast } from '../../../scripts/prerequisites.mjs';
import { bindgenVersion } from '../../../scripts/tools.mjs';

test("the wasm-bindgen that is run has the lock file's version", () => {
  assert.equal(heard('wasm-bindgen', ['--version']), `wasm-bindgen ${bindgenVersion()}`);
});

test('a lock file without wasm-bindgen is an error that says so', () => {
  assert.throws(() => bindgenVersion('version = 4\n'), /Cargo\.lock names no version/);
});

test('versions are compared as numbers', () => {
  assert.ok(atLeast('1.100.0', '1.95'));
  assert.ok(atLeast('20.19.0', '20.19'));
  assert.ok(!atLeast('1.9.9', '1.95'));
  assert.ok(!atLeast('18.20', '20.19'));
});

test('the lock file names no registry', () => {
  for (const [name, entry] of Object.entries(readJson('package-lock.json').packages)) {
    assert.ok(!('resolved' in /** @type {object} */ (entry)), name);
  }
});

test('the page and the crates carry one version', () => {
  const crates = /\[workspace\.package\]\nversion = "([^"]+)"/.exec(readFileSync(inRoot('Cargo.toml'), 'utf8'))?.[1];
  assert.equal(readJson('package.json').version, crates);
});
