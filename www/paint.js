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

/** Red, green and blue. @typedef {[number, number, number]} Rgb */

/** Dots along a pixel. */
const DOTS = 2;
/** How opaque every other dot of a pixel is where less ink is wanted. */
const PALE = 0.45;
/** Half-strong wishes show as strongly as this of the strongest. */
const HALF = 0.42;
const GAMMA = Math.log(HALF) / Math.log(0.5);

/**
 * What the discriminator wants, over that picture: transparent where nothing is wanted, opaque at each image's strongest wish.
 * Where less ink is wanted, every other dot is pale, so that the two differ without their colours, too.
 * @param {Float32Array} values   rows × columns images of side × side
 * @param {number} side
 * @param {number} columns
 * @param {{more: Rgb, less: Rgb}} colours
 * @returns {{width: number, height: number, pixels: Uint8ClampedArray<ArrayBuffer>}}
 */
export function composeWishes(values, side, columns, { more, less }) {
  const cell = side + 2 * margin(side);
  const count = values.length / (side * side);
  const width = cell * columns * DOTS;
  const height = cell * (count / columns) * DOTS;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let n = 0; n < count; n++) {
    const image = values.subarray(n * side * side, (n + 1) * side * side);
    let most = 0;
    for (const value of image) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
    if (most === 0) continue;
    const left = cell * (n % columns) + margin(side);
    const top = cell * Math.floor(n / columns) + margin(side);
    image.forEach((value, at) => {
      if (!Number.isFinite(value) || value === 0) return;
      const alpha = 255 * (Math.abs(value) / most) ** GAMMA;
      const [r, g, b] = value > 0 ? more : less;
      for (let dot = 0; dot < DOTS * DOTS; dot++) {
        const x = (left + (at % side)) * DOTS + (dot % DOTS);
        const y = (top + Math.floor(at / side)) * DOTS + Math.floor(dot / DOTS);
        const isPale = value < 0 && (x + y) % 2 === 1;
        pixels.set([r, g, b, isPale ? PALE * alpha : alpha], 4 * (y * width + x));
      }
    });
  }
  return { width, height, pixels };
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
