// The order of a module's functions, by which gzip finds what they have in common.

import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import binaryen from 'binaryen';
import { bodies, bySimilarity, placed } from '../../../scripts/order.mjs';

/** Bytes that nothing repeats. @param {number} seed @param {number} length */
function noise(seed, length) {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

test('texts that are alike stand side by side, each once', () => {
  const kinds = [noise(1, 900), noise(2, 900), noise(3, 900)];
  // A kind's texts end differently.
  const texts = Array.from({ length: 12 }, (_, i) => Buffer.concat([kinds[i % 3], noise(100 + i, 300)]));
  const order = bySimilarity(texts);
  assert.deepEqual([...order].sort((a, b) => a - b), [...texts.keys()]);
  const changes = order.filter((text, at) => at > 0 && text % 3 !== order[at - 1] % 3);
  assert.equal(changes.length, 2, `${order}`);
});

test('what lies farther apart than gzip remembers comes together', () => {
  const kinds = Array.from({ length: 30 }, (_, i) => noise(i + 1, 2000));
  const texts = [...kinds, ...kinds];
  const packed = (/** @type {number[]} */ order) => gzipSync(Buffer.concat(order.map((i) => texts[i]))).length;
  assert.ok(packed(bySimilarity(texts)) < 0.6 * packed([...texts.keys()]));
});

test('a few short texts, or none, are no trouble', () => {
  assert.deepEqual(bySimilarity([]), []);
  assert.deepEqual(bySimilarity([Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(1, 2)]).length, 3);
});

test('a module whose functions have moved does what it did', async () => {
  // By turns of two kinds; each names the others by index, one calls through a table, and one is imported.
  const count = 40;
  const body = (/** @type {number} */ i) => {
    const steps = Array.from({ length: 20 }, (_, k) =>
      i % 2 ? `(local.set $x (i32.add (local.get $x) (i32.const ${k * 77})))` : `(local.set $x (i32.xor (local.get $x) (i32.const ${k * 5003})))`);
    return `(func $f${i} (export "f${i}") (param $x i32) (result i32) ${steps.join(' ')} (i32.add (i32.const ${i}) (local.get $x)))`;
  };
  const functions = Array.from({ length: count }, (_, i) => body(i));
  const text = `(module
    (import "host" "twice" (func $twice (param i32) (result i32)))
    (table ${count} funcref)
    (elem (i32.const 0) func ${Array.from({ length: count }, (_, i) => `$f${i}`).join(' ')})
    ${functions.join('\n')}
    (func (export "byPlace") (param $n i32) (result i32) (call_indirect (param i32) (result i32) (i32.const 9) (local.get $n)))
    (func (export "through") (result i32) (call $twice (call $f7 (i32.const 3)))))`;
  const module = binaryen.parseText(text);
  const before = module.emitBinary();
  const named = binaryen.readBinary(placed(before));
  named.runPasses(['reorder-functions-by-name']);
  const after = named.emitBinary();
  module.dispose();
  named.dispose();

  const host = { twice: (/** @type {number} */ x) => 2 * x };
  const run = async (/** @type {Uint8Array} */ wasm) => {
    const { instance } = await WebAssembly.instantiate(Uint8Array.from(wasm), { host });
    const { byPlace, through, ...others } = /** @type {Record<string, (x?: number) => number>} */ (instance.exports);
    return [...Array.from({ length: count }, (_, i) => [others[`f${i}`](5), byPlace(i)]), through()];
  };
  assert.deepEqual(await run(after), await run(before));
  // All but the one that names others by index are what they were, in the order of their likeness.
  const [was, is] = [bodies(before), bodies(after)];
  const moved = bySimilarity(was).map((from, to) => [from, to]).filter(([from]) => from !== count + 1);
  for (const [from, to] of moved) assert.deepEqual(is[to], was[from], `${from} is at ${to}`);
  assert.ok(moved.some(([from, to]) => from !== to), 'functions did move');
});

test('a module that imports more than functions is refused', () => {
  const module = binaryen.parseText('(module (import "host" "memory" (memory 1)) (func (export "one") (result i32) (i32.const 1)))');
  assert.throws(() => placed(module.emitBinary()), /imports host\.memory, which is no function/);
  module.dispose();
});
