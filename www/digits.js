// Labelled digits as bytes, out of the IDX files that data.js brings, and a choice of them.

/** In an image of the data set. */
export const PIXELS = 28 * 28;

/** `[N, 784]` bytes, ink = 255, and a digit for each. @typedef {{images: Uint8Array, labels: Uint8Array}} Digits */

/** The bytes behind the heads of two IDX files. @param {Digits} files @returns {Digits} */
export const digitsOf = ({ images, labels }) => ({ images: images.subarray(16), labels: labels.subarray(8) });

/** The first ones, if there are so many. @param {Digits} digits @param {number} count @returns {Digits} */
export const firstOf = ({ images, labels }, count) => ({ images: images.subarray(0, count * PIXELS), labels: labels.subarray(0, count) });

/** All but the first ones. @param {Digits} digits @param {number} count @returns {Digits} */
export const restOf = ({ images, labels }, count) => ({ images: images.subarray(count * PIXELS), labels: labels.subarray(count) });

/**
 * So many from all over a set, since MNIST's first test images are clearer than its last. Where it has fewer, they are repeated.
 * @param {Digits} digits
 * @param {number} count
 * @returns {Digits}
 */
export function spread({ images, labels }, count) {
  const chosen = { images: new Uint8Array(count * PIXELS), labels: new Uint8Array(count) };
  for (let k = 0; k < count; k++) {
    const at = Math.floor((k * labels.length) / count);
    chosen.images.set(images.subarray(at * PIXELS, (at + 1) * PIXELS), k * PIXELS);
    chosen.labels.set(labels.subarray(at, at + 1), k);
  }
  return chosen;
}
