// A slider's stops: the values that an arrow key leads through, one after the other, and a hand may drag to.

/** @typedef {Pick<import('../protocol.js').Setting, 'min'|'max'|'log'|'kind'|'default'>} Ranged */

/** Without what binary fractions leave behind. @param {number} value */
const clean = (value) => Number(value.toFixed(12));

/**
 * Numbers of two digits between two ends, and the ends.
 * @param {number} low
 * @param {number} high
 * @param {number} finest   the exponent of the smallest step
 */
function twoDigits(low, high, finest) {
  const values = [low];
  for (let exponent = finest; 10 ** (exponent + 1) < high || exponent === finest; exponent++) {
    for (let digits = exponent === finest ? 1 : 10; digits < 100; digits++) {
      const value = Number(`${digits}e${exponent}`);
      if (value > low && value < high) values.push(value);
    }
  }
  values.push(high);
  return values;
}

/** A hundredth, coarser over a wide range, finer where the default is small. @param {number} max @param {number} usual */
const finestOf = (max, usual) => Math.floor(Math.min(Math.max(-2, Math.log10(max) - 3), Math.log10(usual || 1) - 1));

/** @param {Ranged} setting @returns {number[]} */
export function sliderStops({ min = 0, max = 1, log = false, kind, default: usual }) {
  if (kind === 'integer') return twoDigits(min, max, 0);
  if (log) return twoDigits(min, max, Math.floor(Math.log10(min)) - 1);
  // Of a memory what counts is how far it is from 1, which it never reaches.
  const rest = clean(1 - max);
  if (rest > 0 && rest < 0.01) return twoDigits(rest, clean(1 - min), Math.floor(Math.log10(rest)) - 1).reverse().map((far) => clean(1 - far));
  return twoDigits(min, max, finestOf(max, Number(usual)));
}

/** The nearest stop's place. @param {number[]} stops @param {number} value */
export function placeOf(stops, value) {
  const above = stops.findIndex((stop) => stop >= value);
  if (above < 0) return stops.length - 1;
  const [low = -Infinity, high = 0] = [stops[above - 1], stops[above]];
  return value - low < high - value ? above - 1 : above;
}
