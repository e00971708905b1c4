// The grid as pixels, for the CPU engine: the same picture that the GPU engine
// presents itself. A cell is 30 image pixels square: 28 and a margin of one.

/** @typedef {import('./protocol.js').Look} Look */

const SIDE = 28;
export const CELL = SIDE + 2;

/**
 * @param {Uint8Array} images   rows × columns images of 28 × 28, ink = 255
 * @param {number} rows
 * @param {number} columns
 * @param {Look} look
 * @returns {Uint8ClampedArray<ArrayBuffer>}   RGBA, 30 × columns wide, 30 × rows high
 */
export function composeGrid(images, rows, columns, { paper, ink }) {
  const width = CELL * columns;
  const pixels = new Uint32Array(width * CELL * rows);
  const shades = new Uint32Array(256);
  for (let v = 0; v < 256; v++) shades[v] = 0xff000000 | (mix(paper, ink, v, 0) << 16) | (mix(paper, ink, v, 8) << 8) | mix(paper, ink, v, 16);
  pixels.fill(/** @type {number} */ (shades[0]));
  for (let n = 0; n < rows * columns; n++) {
    const left = CELL * (n % columns) + 1;
    const top = CELL * Math.floor(n / columns) + 1;
    for (let y = 0; y < SIDE; y++) {
      const from = (n * SIDE + y) * SIDE;
      const to = (top + y) * width + left;
      for (let x = 0; x < SIDE; x++) pixels[to + x] = /** @type {number} */ (shades[/** @type {number} */ (images[from + x])]);
    }
  }
  return new Uint8ClampedArray(pixels.buffer);
}

/**
 * One colour channel between paper and ink.
 * @param {number} paper
 * @param {number} ink
 * @param {number} v
 * @param {number} shift
 */
function mix(paper, ink, v, shift) {
  const a = (paper >> shift) & 255;
  const b = (ink >> shift) & 255;
  return Math.round(a + ((b - a) * v) / 255);
}

export class Painter {
  /** @type {OffscreenCanvas | null} */
  #small = null;

  /** @param {OffscreenCanvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
  }

  /**
   * @param {Uint8Array} images
   * @param {number} rows
   * @param {number} columns
   * @param {Look} look
   */
  paint(images, rows, columns, look) {
    if (!this.context) return;
    this.#small ??= new OffscreenCanvas(CELL * columns, CELL * rows);
    const pixels = composeGrid(images, rows, columns, look);
    this.#small.getContext('2d')?.putImageData(new ImageData(pixels, CELL * columns), 0, 0);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(this.#small, 0, 0, this.canvas.width, this.canvas.height);
  }
}
