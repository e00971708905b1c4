// What is timed: training steps, their bare products, single products; and which engine stands against which. Plain data,
// for Node and for the page.

/** Ours on both its engines, the CPU's also by two workers as the page has them, and the peers with their device. */
export const engines = /** @type {const} */ (['forge-gpu', 'forge-cpu', 'forge-cpu-2', 'jax-webgpu', 'jax-wasm', 'tfjs-webgpu', 'tfjs-wasm']);

/** @typedef {(typeof engines)[number]} EngineName */
/** @typedef {'mlp' | 'quick'} ModelName */

/**
 * One product `[m, k] · [k, n]`. `transposed` names the operand that lies transposed in memory.
 * @typedef {object} ProductTask
 * @property {'product'} kind
 * @property {number} m
 * @property {number} k
 * @property {number} n
 * @property {'' | 'a' | 'b'} transposed
 */

/** A whole training step. @typedef {{ kind: 'step', model: ModelName }} StepTask */
/** Nothing but the products and convolutions of a step; only ours. @typedef {{ kind: 'bare', model: ModelName }} BareTask */
/** @typedef {ProductTask | StepTask | BareTask} Task */

/** The models as settings of ours; what the peers make of them is in models.js. @type {Record<ModelName, string>} */
export const settings = {
  mlp:
    'network=mlp&gWidths=256,512&dWidths=512,256&noise=100&batch=64&condition=none&average=0&gActivation=leaky&gRate=0.0002&dRate=0.0002',
  quick: 'preset=quick',
};

/** @param {Task} task */
export const nameOf = (task) => {
  if (task.kind !== 'product') return `${task.model} ${task.kind === 'step' ? 'step' : 'bare products'}`;
  const { m, k, n, transposed } = task;
  return `${m}×${k}${transposed === 'a' ? 'ᵀ' : ''} · ${k}×${n}${transposed === 'b' ? 'ᵀ' : ''}`;
};

/** @param {number} m @param {number} k @param {number} n @param {'' | 'a' | 'b'} [transposed] @returns {ProductTask} */
const product = (m, k, n, transposed = '') => ({ kind: 'product', m, k, n, transposed });

/** Square products, smallest first. */
export const squares = [64, 128, 256, 512, 1024, 2048].map((side) => product(side, side, side));

/**
 * The products of a chain of dense layers: forward, the gradients of its inputs but for the first, and of its weights.
 * @param {number} rows
 * @param {number[]} widths
 * @param {{ first: boolean, weights: boolean }} gradients `first`: that of the first layer's input is needed too
 */
const layers = (rows, widths, { first, weights }) =>
  widths.slice(1).flatMap((outputs, i) => {
    const inputs = widths[i];
    const all = [product(rows, inputs, outputs)];
    if (first || i > 0) all.push(product(rows, outputs, inputs, 'b'));
    if (weights) all.push(product(inputs, rows, outputs, 'a'));
    return all;
  });

/** Every product of the MLP's step in its orientation, also those that come twice. */
export const stepProducts = [
  ...layers(64, [100, 256, 512, 784], { first: false, weights: true }),
  ...layers(128, [784, 512, 256, 1], { first: false, weights: true }),
  ...layers(64, [784, 512, 256, 1], { first: true, weights: false }),
];

/** The same, each once. */
export const shapes = [...new Map(stepProducts.map((task) => [nameOf(task), task])).values()];

/** Each of ours against the peers on the same hardware, and how many times as fast it is to be; null: it isn't for that. */
export const rivals = /** @type {const} */ ([
  { ours: 'forge-gpu', peer: 'jax-webgpu', step: 4, product: 1.5 },
  { ours: 'forge-gpu', peer: 'tfjs-webgpu', step: 12, product: 6 },
  { ours: 'forge-cpu', peer: 'jax-wasm', step: 3, product: undefined },
  { ours: 'forge-cpu', peer: 'tfjs-wasm', step: 20, product: undefined },
  { ours: 'forge-cpu-2', peer: 'jax-wasm', step: 3, product: null },
  { ours: 'forge-cpu-2', peer: 'tfjs-wasm', step: 20, product: null },
]);

/** A step may take this many times as long as its bare products. */
export const overhead = 1.15;
