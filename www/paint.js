// The grid as pixels, for the CPU engine: the same picture that the GPU engine
// presents itself. A cell is an image and a margin of a 28th of it.

/** @typedef {import('./protocol.js').Look} Look */

/** Pixels of a cell whose image has 28 along each side. */
export const CELL = 30;
/** Pixels left free on each side of an image. @param {number} side */
const margin = (side) => side / 28;

/**
 * @param {Uint8Array} images   rows × columns images of side × side, ink = 255
 * @param {number} side
 * @param {number} rows
 * @param {number} columns
 * @param {Look} look
 * @returns {Uint8ClampedArray<ArrayBuffer>}   RGBA, a 14th wider and higher than the images
 */
export function composeGrid(images, side, rows, columns, { paper, ink }) {
  const cell = side + 2 * margin(side);
  const width = cell * columns;
  const pixels = new Uint32Array(width * cell * rows);
  const shades = new Uint32Array(256);
  for (let v = 0; v < 256; v++) shades[v] = 0xff000000 | (mix(paper, ink, v, 0) << 16) | (mix(paper, ink, v, 8) << 8) | mix(paper, ink, v, 16);
  pixels.fill(/** @type {number} */ (shades[0]));
  for (let n = 0; n < rows * columns; n++) {
    const left = cell * (n % columns) + margin(side);
    const top = cell * Math.floor(n / columns) + margin(side);
    for (let y = 0; y < side; y++) {
      const from = (n * side + y) * side;
      const to = (top + y) * width + left;
      for (let x = 0; x < side; x++) pixels[to + x] = /** @type {number} */ (shades[/** @type {number} */ (images[from + x])]);
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
   * @param {number} side
   * @param {number} rows
   * @param {number} columns
   * @param {Look} look
   */
  paint(images, side, rows, columns, look) {
    if (!this.context) return;
    const cell = side + 2 * margin(side);
    this.#small ??= new OffscreenCanvas(cell * columns, cell * rows);
    const pixels = composeGrid(images, side, rows, columns, look);
    this.#small.getContext('2d')?.putImageData(new ImageData(pixels, cell * columns), 0, 0);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(this.#small, 0, 0, this.canvas.width, this.canvas.height);
  }
}
