// The scale of the bars of digits read: ten even digits reach half of it, and one that is all there is stands ten times as tall as a tenth.

const TOPS = [0.2, 0.5, 1];

/** The share at the top. @param {Iterable<number>} shares */
export function topOf(shares) {
  const most = Math.max(...shares);
  return TOPS.find((top) => most <= top) ?? 1;
}
