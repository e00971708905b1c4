// Images of 28 × 28 as small pictures in the page's own ink: each is a mask, so that it follows the theme by itself.

import { SIDE } from '../own/idx.js';

/** @type {HTMLCanvasElement | null} */
let small = null;

/** @param {Uint8Array} image   ink = 255 */
function maskOf(image) {
  if (!small) {
    small = document.createElement('canvas');
    small.width = small.height = SIDE;
  }
  const pixels = new ImageData(SIDE, SIDE);
  image.forEach((ink, k) => (pixels.data[4 * k + 3] = ink));
  small.getContext('2d')?.putImageData(pixels, 0, 0);
  return `url(${small.toDataURL()})`;
}

/** @param {Uint8Array} image @param {string} words   what it shows */
export function thumb(image, words) {
  const element = document.createElement('span');
  element.className = 'thumb';
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', words);
  const ink = document.createElement('span');
  ink.style.maskImage = maskOf(image);
  element.append(ink);
  return element;
}
