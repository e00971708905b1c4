// Pictures from files, as grey pixels: the core makes MNIST's kind of image of them.

import { OwnFault } from './fault.js';

/** Pixels row by row, 0 is black. @typedef {{grey: Uint8Array, width: number, height: number}} Grey */

/** Longer sides are scaled down to this: an image keeps 20 pixels of them. */
const MOST_PIXELS = 1000;

/** The digit that a file's name begins with. @param {string} name @returns {number | null} */
export const labelOf = (name) => (/^\d/.test(name) ? Number(name[0]) : null);

/** By luminance. @param {Uint8ClampedArray} rgba */
export function luminance(rgba) {
  const grey = new Uint8Array(rgba.length / 4);
  const part = (/** @type {number} */ k) => /** @type {number} */ (rgba[k]);
  for (let k = 0; k < grey.length; k++) grey[k] = Math.round(0.299 * part(4 * k) + 0.587 * part(4 * k + 1) + 0.114 * part(4 * k + 2));
  return grey;
}

/** @param {CanvasImageSource} source @param {number} width @param {number} height @param {string} paper @returns {Grey} */
export function greyOf(source, width, height, paper) {
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, width, height);
  return { grey: luminance(context.getImageData(0, 0, width, height).data), width, height };
}

/**
 * A picture on white paper, and on black, for one that is all white on nothing.
 * @param {File} file
 * @returns {Promise<Grey[]>}
 */
export async function greysOf(file) {
  const bitmap = await createImageBitmap(file).catch((error) => {
    throw new OwnFault('picture', file.name, { detail: error instanceof Error ? error.message : String(error) });
  });
  const scale = Math.min(1, MOST_PIXELS / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  try {
    return ['white', 'black'].map((paper) => greyOf(bitmap, /** @type {number} */ (width), /** @type {number} */ (height), paper));
  } finally {
    bitmap.close();
  }
}
