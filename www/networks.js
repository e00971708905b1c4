// A network as a diagram has it: layers that only act on what the one before
// made (an activation, another shape) join that one in a stage.

/** @typedef {import('./protocol.js').Network} Network */
/** @typedef {import('./protocol.js').Layer} Layer */

/**
 * What comes out of a stage, and what makes it. Of the first, nothing does: it is what goes in.
 * @typedef {{layers: Layer[], shape: number[], parameters: number}} Stage
 */

/** @param {number[]} shape */
const size = (shape) => shape.reduce((product, extent) => product * extent, 1);

/** Layers that stand for themselves, even where they leave as many numbers as they got. */
const MAKERS = /^(linear|conv|transposed conv|label|projection|deviation|upsampling)$/;

/** @param {Network} network @returns {Stage[]} */
export function stagesOf({ input, layers }) {
  /** @type {Stage} */
  let last = { layers: [], shape: input, parameters: 0 };
  const stages = [last];
  for (const layer of layers) {
    if (MAKERS.test(layer.kind) || size(layer.shape) !== size(last.shape)) {
      last = { layers: [], shape: layer.shape, parameters: 0 };
      stages.push(last);
    }
    last.layers.push(layer);
    last.parameters += layer.parameters;
    // Of the same numbers as an image and in a row, the image says more.
    if (layer.shape.length >= last.shape.length) last.shape = layer.shape;
  }
  return stages;
}

/** Pixels to the side of an image's pixel. */
const SIDE = 1.5;
/** The same for a bar, whose place is narrow. */
const BAR_SIDE = 2;
const LEAST = 7;
const TALLEST = 64;

/**
 * The extents of a block, in pixels. An image's face is in proportion; how deep it is grows with the doublings of its
 * channels. Numbers in a row are a bar, in proportion to the side of a square image of as many.
 * @param {number[]} shape
 * @returns {{width: number, height: number, depth: number}}
 */
export function blockOf(shape) {
  const within = (/** @type {number} */ pixels) => Math.min(TALLEST, Math.max(LEAST, pixels));
  const [height = 1, width = 1, channels = 1] = shape;
  if (shape.length === 3) return { width: within(SIDE * width), height: within(SIDE * height), depth: 2 + 3 * Math.log2(channels) };
  return { width: LEAST, height: within(BAR_SIDE * Math.sqrt(size(shape))), depth: 0 };
}
