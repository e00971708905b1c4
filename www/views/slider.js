// A slider's scale, straight or logarithmic.

/**
 * Where a value stands on a slider, 0 to 1, and back.
 * @param {Pick<import('../protocol.js').Setting, 'min'|'max'|'log'|'kind'>} setting
 */
export function sliderScale({ min = 0, max = 1, log: asked = false, kind }) {
  // Counts that span several orders are chosen by factors, too.
  const log = asked || (kind === 'integer' && min >= 1 && max / min > 100);
  const low = log ? Math.log(Math.max(min, kind === 'integer' ? 1 : 1e-7)) : min;
  const high = log ? Math.log(max) : max;
  return {
    /** @param {number} value */
    place: (value) => ((log ? Math.log(Math.max(value, Math.exp(low))) : value) - low) / (high - low),
    /** @param {number} place */
    value(place) {
      const raw = low + place * (high - low);
      const exact = log ? Math.exp(raw) : raw;
      const bounded = Math.max(min, Math.min(max, exact));
      return kind === 'integer' ? Math.round(bounded) : Number(bounded.toPrecision(log ? 2 : 3));
    },
  };
}
