// A small line chart as a picture of the page's own: shares from 0 to 1 over something, one line or two, with a mark where one
// stands. A table below says the same to those who can't see it.

const SPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 320;
const HEIGHT = 150;
const LEFT = 34;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 22;

/** @typedef {{className: string, points: [number, number][]}} Line */

/** @param {string} tag @param {Record<string, string | number>} attributes @param {string} [text] */
function make(tag, attributes, text) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * @param {object} what
 * @param {number} what.most   of the horizontal axis, which starts at 0
 * @param {number[]} what.ticks   on it
 * @param {(tick: number) => string} what.name   of a tick
 * @param {(share: number) => string} what.share   as words
 * @param {Line[]} what.lines
 * @param {number} [what.mark]   where one stands
 */
export function curve({ most, ticks, name, share, lines, mark }) {
  const x = (/** @type {number} */ value) => LEFT + ((WIDTH - LEFT - RIGHT) * value) / most;
  const y = (/** @type {number} */ value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value);
  const picture = make('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'curve', 'aria-hidden': 'true' });
  for (const tick of [0, 0.5, 1]) {
    picture.append(make('line', { class: 'rule', x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    picture.append(make('text', { x: LEFT - 6, y: y(tick) + 4, 'text-anchor': 'end' }, share(tick)));
  }
  for (const tick of ticks) picture.append(make('text', { x: x(tick), y: HEIGHT - 6, 'text-anchor': tick === most ? 'end' : 'middle' }, name(tick)));
  if (mark !== undefined) picture.append(make('line', { class: 'mark', x1: x(mark), x2: x(mark), y1: TOP, y2: HEIGHT - BOTTOM }));
  for (const { className, points } of lines) {
    if (points.length === 0) continue;
    picture.append(make('polyline', { class: className, points: points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(' ') }));
    for (const [a, b] of points.length < 2 ? points : []) picture.append(make('circle', { class: className, cx: x(a), cy: y(b), r: 2 }));
  }
  return picture;
}
