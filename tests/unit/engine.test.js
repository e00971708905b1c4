// The two builds of the engine: how large they are, and which a browser gets.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MOST } from '../../scripts/wasm.mjs';
import { engineUrl } from '../../www/engine.js';

const plain = engineUrl(() => false);
const relaxed = engineUrl(() => true);

test('no build is larger than it may be', () => {
  for (const url of [plain, relaxed]) {
    const size = gzipSync(readFileSync(url)).length;
    assert.ok(size <= MOST, `${url.pathname}: ${size} bytes`);
  }
});

test('a browser with fused products gets the build that has them', () => {
  assert.notEqual(plain.href, relaxed.href);
  assert.equal(engineUrl().href, WebAssembly.validate(readFileSync(relaxed)) ? relaxed.href : plain.href);
});

test('the build for the others has none of those instructions', () => {
  assert.ok(WebAssembly.validate(readFileSync(plain)));
  // f32x4.relaxed_madd is 0xfd 0x85 0x02.
  const fused = (/** @type {URL} */ url) => readFileSync(url).includes(Buffer.of(0xfd, 0x85, 0x02));
  assert.deepEqual([fused(plain), fused(relaxed)], [false, true]);
});

test('a build asks the glue, or the files beside it, for functions that they have, and for each once', () => {
  const text = (/** @type {string} */ file) => readFileSync(new URL(`../../www/pkg/${file}`, import.meta.url), 'utf8');
  const glue = text('digit_forge_wasm.js');
  const ours = ['./beside.js', './subgroups.js'];
  const builds = [plain, relaxed].map((url) => readFileSync(url)).filter((bytes) => WebAssembly.validate(bytes));
  for (const bytes of builds) {
    const asked = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
    const names = asked.map(({ module, name }) => `${module} ${name}`);
    assert.deepEqual(names, [...new Set(names)]);
    for (const { module, name } of asked) {
      if (ours.includes(module)) assert.match(text(module), new RegExp(`^export (function|const) ${name}\\b`, 'm'));
      else assert.match(glue, new RegExp(`^ {8}"${name}": function`, 'm'));
    }
    assert.ok(ours.every((file) => asked.some(({ module }) => module === file)));
  }
});
