// The two GANs as the peers build them: extents, rates, starting weights, and one batch of real images that every step
// uses (ours gathers a new batch each step).

/** @typedef {{ pixels: Float32Array, labels: Uint8Array }} Images   values from -1 to 1 */

/**
 * @typedef {object} Model
 * @property {number} batch
 * @property {number} noise
 * @property {number} gRate
 * @property {number} dRate
 * @property {number} average    decay of the generator's moving average, 0 for none
 * @property {number} channels   of the convolution next to the image; 0 for dense networks
 * @property {number[]} g        widths of dense networks, from the input on
 * @property {number[]} d
 */

/** @type {Record<import('./tasks.js').ModelName, Model>} */
export const models = {
  mlp: {
    batch: 64, noise: 100, gRate: 2e-4, dRate: 2e-4, average: 0, channels: 0, g: [100, 256, 512, 784], d: [784, 512, 256, 1],
  },
  quick: { batch: 16, noise: 64, gRate: 4e-3, dRate: 2e-3, average: 0.995, channels: 8, g: [], d: [] },
};

export const SLOPE = 0.2;
export const BETA1 = 0.5;
export const BETA2 = 0.999;
export const EPSILON = 1e-8;
export const DIGITS = 10;
/** How loudly the generator hears the label. */
export const LABEL_SCALE = 5;
/** Of a 28 × 28 image after two convolutions of stride 2. */
export const INNER = 7;

/** @param {number} count @param {number} deviation normal numbers of mean 0 */
export function normals(count, deviation) {
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return deviation * radius * Math.cos(2 * Math.PI * Math.random());
  });
}

/**
 * A weight of this shape whose outputs each sum over `fanIn` inputs (He et al. 2015).
 * @param {number[]} shape
 * @param {number} fanIn
 * @param {number} [gain] 2 before a ReLU, 1 in last layers
 */
export const weight = (shape, fanIn, gain = 2) => ({ shape, values: normals(size(shape), Math.sqrt(gain / fanIn)) });

/** @param {number[]} shape */
export const zeros = (shape) => ({ shape, values: new Float32Array(size(shape)) });

/** @param {number[]} shape */
const size = (shape) => shape.reduce((product, extent) => product * extent, 1);

/** @typedef {ReturnType<typeof zeros>} Start */

/** Weight and bias of dense layers. @param {number[]} widths @returns {Start[]} */
export const dense = (widths) =>
  widths.slice(1).flatMap((outputs, i) => {
    const gain = i + 2 < widths.length ? 2 : 1;
    return [weight([widths[i], outputs], widths[i], gain), zeros([outputs])];
  });

/**
 * `[batch, 10]`: the labels as rows with one `scale` each.
 * @param {Uint8Array} labels
 * @param {number} scale
 */
export function oneHot(labels, scale) {
  const rows = new Float32Array(labels.length * DIGITS);
  labels.forEach((label, row) => (rows[row * DIGITS + label] = scale));
  return rows;
}

/**
 * What picks the logit out of D's outputs: `[rows, 1]` of ones, or the realism with the label's own
 * (Miyato & Koyama 2018), `[rows, 11]`.
 * @param {Model} model
 * @param {Uint8Array} labels
 */
export function choice(model, labels) {
  if (!model.channels) return { shape: [labels.length, 1], values: new Float32Array(labels.length).fill(1) };
  const values = new Float32Array(labels.length * (DIGITS + 1));
  labels.forEach((label, row) => {
    values[row * (DIGITS + 1)] = 1;
    values[row * (DIGITS + 1) + 1 + label] = 1;
  });
  return { shape: [labels.length, DIGITS + 1], values };
}

/** The labels of real and fake rows as one batch. @param {Uint8Array} labels */
export const twice = (labels) => Uint8Array.from([...labels, ...labels]);

/**
 * What the logits are multiplied with before the softplus, `[2 · batch, 1]`: -ln D of real rows is softplus(-logit),
 * -ln(1 - D) of fakes softplus(logit).
 * @param {number} batch
 */
export const signs = (batch) => Float32Array.from({ length: 2 * batch }, (_, row) => (row < batch ? -1 : 1));

/**
 * The first images of an IDX pair.
 * @param {Uint8Array} images
 * @param {Uint8Array} labels
 * @param {number} count
 * @returns {Images}
 */
export const firstImages = (images, labels, count) => ({
  pixels: Float32Array.from(images.subarray(16, 16 + count * 784), (byte) => byte / 127.5 - 1),
  labels: labels.slice(8, 8 + count),
});
