// Which engine, and the one reason why.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseEngine, isSoftware } from '../../www/adapter.js';

/** @param {object | null | Error} info */
const gpu = (info) => /** @type {GPU} */ (/** @type {unknown} */ ({
  requestAdapter: async () => {
    if (info instanceof Error) throw info;
    return info && { info };
  },
}));
const real = gpu({ vendor: 'nvidia', architecture: 'hopper', device: '', description: '' });
const software = gpu({ vendor: 'google', architecture: 'swiftshader', device: '', description: '' });

test('software adapters are known by their flag or their name', () => {
  assert.ok(isSoftware({ isFallbackAdapter: true }));
  assert.ok(isSoftware({ description: 'llvmpipe (LLVM 15)' }));
  assert.ok(isSoftware({ device: 'Microsoft Basic Render Driver' }));
  assert.ok(!isSoftware({ vendor: 'apple', architecture: 'metal-3' }));
});

/** @type {[string, import('../../www/protocol.js').EngineChoice, {gpu?: GPU, secure: boolean}, string, string][]} */
const cases = [
  ['a real adapter', 'auto', { gpu: real, secure: true }, 'gpu', 'gpu'],
  ['a real adapter, asked for', 'gpu', { gpu: real, secure: true }, 'gpu', 'forced-gpu'],
  ['the CPU, asked for', 'cpu', { gpu: real, secure: true }, 'cpu', 'forced-cpu'],
  ['an insecure origin', 'auto', { secure: false }, 'cpu', 'insecure'],
  ['no API', 'auto', { secure: true }, 'cpu', 'no-api'],
  ['no adapter', 'auto', { gpu: gpu(null), secure: true }, 'cpu', 'no-adapter'],
  ['an adapter request that fails', 'auto', { gpu: gpu(new Error('x')), secure: true }, 'cpu', 'no-adapter'],
  ['a software adapter', 'auto', { gpu: software, secure: true }, 'cpu', 'software'],
  ['a software adapter, asked for', 'gpu', { gpu: software, secure: true }, 'gpu', 'forced-software'],
  ['a GPU asked for where there is none', 'gpu', { gpu: gpu(null), secure: true }, 'cpu', 'no-adapter'],
];

for (const [what, wish, platform, engine, reason] of cases) {
  test(`${what}: ${engine}, ${reason}`, async () => {
    const choice = await chooseEngine(wish, platform);
    assert.deepEqual([choice.engine, choice.reason], [engine, reason]);
    if (engine === 'gpu') assert.match(choice.name ?? '', /hopper|swiftshader/);
  });
}
