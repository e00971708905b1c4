// Can the digits be read? Each image goes to its nearest neighbours among real digits, by the distance of pixels, and
// they vote. A simple judge, but a stern one: noise and blots never look like all ten digits to it.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const PIXELS = 28 * 28;
const REAL = 5000;
const NEAREST = 3;

const folder = resolve(import.meta.dirname, '../../data/mnist');
const pixels = readFileSync(resolve(folder, 'train-images-idx3-ubyte')).subarray(16, 16 + REAL * PIXELS);
const labels = readFileSync(resolve(folder, 'train-labels-idx1-ubyte')).subarray(8, 8 + REAL);

/** @param {Uint8Array} image */
function read(image) {
  /** @type {{distance: number, label: number}[]} */
  const nearest = [];
  for (let k = 0; k < REAL; k++) {
    const worst = nearest.length < NEAREST ? Infinity : (nearest.at(-1)?.distance ?? Infinity);
    let distance = 0;
    for (let p = 0, at = k * PIXELS; p < PIXELS && distance < worst; p++, at++) {
      const difference = (image[p] ?? 0) - (pixels[at] ?? 0);
      distance += difference * difference;
    }
    if (distance >= worst) continue;
    nearest.push({ distance, label: labels[k] ?? 0 });
    nearest.sort((a, b) => a.distance - b.distance).splice(NEAREST);
  }
  const votes = (/** @type {number} */ digit) => nearest.filter(({ label }) => label === digit).length;
  return nearest.map(({ label }) => label).sort((a, b) => votes(b) - votes(a))[0];
}

/**
 * The share of a grid's images that read as their column's digit. Chance is 0.1.
 * @param {Uint8Array} grid   ten columns, row by row
 */
export function legibility(grid) {
  const count = grid.length / PIXELS;
  let right = 0;
  for (let k = 0; k < count; k++) if (read(grid.subarray(k * PIXELS, (k + 1) * PIXELS)) === k % 10) right++;
  return right / count;
}
