// A network as a diagram: its stages and their blocks. And the core's words for layers, each with a Chinese one. Needs the
// wasm package: `npm run wasm` builds it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { layerDetail, layerKind, setLanguage } from '../../www/i18n/index.js';
import { core } from '../../www/i18n/zh.js';
import { blockOf, stagesOf } from '../../www/networks.js';
import { describe, initSync, networks } from '../../www/pkg/digit_forge_wasm.js';

initSync({ module: readFileSync(new URL('../../www/pkg/digit_forge_wasm_bg.wasm', import.meta.url)) });

/** @param {string} settings @returns {import('../../www/protocol.js').Network[]} */
const networksOf = (settings) => JSON.parse(networks(settings));

/** @param {string} settings */
const stages = (settings) => networksOf(settings).map((network) => stagesOf(network).map(({ shape, parameters }) => [shape.join('×'), parameters]));

test('activations and other shapes join the layer before, and an image shows as one', () => {
  assert.deepEqual(stages('preset=quick'), [
    [['64', 0], ['74', 0], ['7×7×16', 58_800], ['14×14×8', 2056], ['28×28×1', 129]],
    [['28×28×1', 0], ['14×14×8', 136], ['7×7×16', 2064], ['11', 8635], ['1', 0]],
  ]);
});

test('layers of the same width stay apart, and the label has its place', () => {
  assert.deepEqual(stages('network=mlp&gWidths=20,20&dWidths=30&condition=concat')[0]?.map(([shape]) => shape), ['64', '74', '20', '20', '784']);
  assert.deepEqual(stages('condition=concat')[1]?.map(([shape]) => shape), ['28×28×1', '14×14×8', '7×7×16', '794', '64', '1']);
  assert.deepEqual(stages('condition=none')[0]?.[1], ['7×7×16', 64 * 784 + 784]);
});

test('blocks are in proportion, and none is too small to see or too large for its place', () => {
  const [large, small] = [blockOf([28, 28, 1]), blockOf([14, 14, 8])];
  assert.deepEqual([large.width / small.width, large.height / small.height], [2, 2]);
  assert.ok(small.depth > large.depth);
  assert.equal(blockOf([784]).height / blockOf([196]).height, 2);
  const extents = [[1], [6272], [1, 1, 1], [7, 7, 128], [64, 64, 2]].map(blockOf).flatMap(({ width, height }) => [width, height]);
  for (const extent of extents) assert.ok(extent >= 7 && extent <= 64, `${extent}`);
});

test('every word of a layer has a Chinese one, or is a name', () => {
  const { presets } = /** @type {import('../../www/protocol.js').Description} */ (JSON.parse(describe()));
  const others = ['condition=concat', 'condition=none', 'gNorm=batch&dNorm=layer', 'upsampling=nearest&dropout=0.5&minibatchDeviation=on'];
  const texts = [...presets.map(({ name }) => `preset=${name}`), ...others];
  const layers = texts.flatMap(networksOf).flatMap((network) => network.layers);
  assert.deepEqual([...new Set(layers.map(({ kind }) => kind))].sort(), Object.keys(core.layers).sort());
  setLanguage('zh');
  for (const { kind, detail } of layers) {
    assert.match(layerKind(kind), /^\p{Script=Han}+$/u);
    assert.doesNotMatch(layerDetail(detail).replace(/leaky ReLU|ReLU|tanh/, ''), /[a-z]/i, detail);
  }
  setLanguage('en');
  assert.equal(layerDetail('4×4, stride 2'), '4×4, stride 2');
});
