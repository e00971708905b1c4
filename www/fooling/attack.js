// The fast gradient sign method's arithmetic: the judge is asked once where each pixel would go, and any strength follows from
// that: ink' = ink + strength · sign, within 0 and 1. What the most strength leaves where it was stays at any.

/** How far a pixel's ink, from 0 to 1, is moved at most. */
export const MOST = 0.3;
/** The strengths of the curve. */
export const STRENGTHS = Array.from({ length: 11 }, (_, k) => (k * MOST) / 10);

/**
 * @param {Uint8Array} images   ink = 255
 * @param {Float32Array} furthest   the same at strength 1, ink from 0 to 1
 * @param {number} strength
 * @returns {Float32Array}   ink from 0 to 1
 */
export function moved(images, furthest, strength) {
  return furthest.map((far, k) => {
    const ink = Math.fround(/** @type {number} */ (images[k]) / 255);
    return Math.max(0, Math.min(1, ink + strength * Math.sign(far - ink)));
  });
}

/** As bytes, to be drawn. @param {Float32Array} ink */
export const bytes = (ink) => Uint8Array.from(ink, (value) => Math.round(255 * value));

/**
 * Which images show every digit equally often: the first of each from 0 to 9, then the second ones.
 * @param {Uint8Array} labels
 * @param {number} each
 * @returns {number[]}
 */
export function someOfEach(labels, each) {
  const found = Array.from({ length: 10 }, (_, digit) => [...labels.keys()].filter((k) => labels[k] === digit));
  return Array.from({ length: each }, (_, round) => found.flatMap((of) => of[round] ?? [])).flat();
}

/** How many are read as what they are. @param {ArrayLike<number>} digits @param {ArrayLike<number>} labels */
export function countRight(digits, labels) {
  let right = 0;
  for (let k = 0; k < labels.length; k++) right += Number(digits[k] === labels[k]);
  return right;
}
