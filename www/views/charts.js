// Two live charts: both losses, and D's opinion of real and of invented digits,
// which with some losses is a score instead of a probability.
// Faint lines are the numbers as they come, firm ones their running mean. Lines
// differ in dashes as well as in colour, and a table says the same.

import uPlot from './plot.js';
import { number, t } from '../i18n/index.js';
import { table } from './table.js';
import { colour } from './theme.js';

/** @typedef {import('../history.js').History} History */
/** @typedef {import('../i18n/index.js').Key} Key */
/** @typedef {{key: Key, column: number, colour: 'ink'|'generator'|'discriminator', dashed: boolean}} Line */

/** Of a chart's numbers in its table. */
export const TABLE_ROWS = 10;

/** @type {{id: string, title: Key, note: Key, range: [number, number] | null, lines: [Line, Line], score?: {title: Key, note: Key}}[]} */
const CHARTS = [
  {
    id: 'losses', title: 'chart.losses', note: 'chart.lossesNote', range: null,
    lines: [
      { key: 'chart.discriminator', column: 0, colour: 'discriminator', dashed: false },
      { key: 'chart.generator', column: 1, colour: 'generator', dashed: true },
    ],
  },
  {
    id: 'opinion', title: 'chart.opinion', note: 'chart.opinionNote', range: [0, 1],
    lines: [
      { key: 'chart.real', column: 2, colour: 'discriminator', dashed: false },
      { key: 'chart.fake', column: 3, colour: 'generator', dashed: true },
    ],
    score: { title: 'chart.score', note: 'chart.scoreNote' },
  },
];

/**
 * A running mean, fair from its first value on; gaps stay gaps.
 * @param {(number|null)[]} values
 * @param {number} keep   weight of the past
 */
export function smooth(values, keep) {
  let mean = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = keep * mean + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return mean / weight;
  });
}

/** @param {string} tag @param {string} className */
function make(tag, className = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

/** @param {number} value */
const short = (value) => number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** For an axis. @param {number} value */
const compact = (value) => number(value, Math.abs(value) >= 10_000 ? { notation: 'compact' } : {});

class Chart {
  /** @param {(typeof CHARTS)[number]} kind */
  constructor(kind) {
    this.kind = kind;
    this.scores = false;
    const figure = /** @type {HTMLElement} */ (document.getElementById(kind.id));
    this.title = make('h2');
    this.values = kind.lines.map(() => make('b'));
    this.names = kind.lines.map(() => make('span'));
    const legend = make('div', 'legend');
    kind.lines.forEach((line, k) => {
      const entry = make('span', `${line.colour}${line.dashed ? ' dashed' : ''}`);
      entry.append(make('i'), /** @type {HTMLElement} */ (this.names[k]), /** @type {HTMLElement} */ (this.values[k]));
      legend.append(entry);
    });
    this.plotPlace = make('div', 'plot');
    this.plotPlace.ariaHidden = 'true';
    this.note = make('p', 'note');
    this.details = /** @type {HTMLDetailsElement} */ (make('details', 'numbers'));
    this.summary = make('summary');
    this.place = make('div');
    this.details.append(this.summary, this.place);
    const caption = make('figcaption');
    caption.append(this.title, legend);
    figure.append(caption, this.plotPlace, this.note, this.details);
    this.plot = this.#plot();
  }

  #plot() {
    const { lines } = this.kind;
    const axis = { stroke: () => colour('soft'), grid: { stroke: () => colour('line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const firm = lines.map((line) => ({ stroke: () => colour(line.colour), width: 2, ...(line.dashed ? { dash: [6, 4] } : {}), points: { show: false } }));
    const faint = lines.map((line) => ({ stroke: () => colour(line.colour).replace('rgb(', 'rgba(').replace(')', ', 0.18)'), width: 1, points: { show: false } }));
    return new uPlot({
      width: 300,
      height: 130,
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: (_, low, high) => [low ?? 0, Math.max(high ?? 0, (low ?? 0) + 50)] }, y: { range: (_, low, high) => (this.scores ? null : this.kind.range) ?? [Math.min(0, low ?? 0), Math.max(1, high ?? 1)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: 70, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? compact(tick) : '')) },
        { ...axis, size: 38, space: 32, values: (_, ticks) => ticks.map(compact) },
      ],
      series: [{}, ...faint, ...firm],
    }, [[], [], [], [], []], this.plotPlace);
  }

  fit() {
    const width = this.plotPlace.clientWidth;
    const height = this.plotPlace.clientHeight;
    if (width > 0 && (width !== this.plot.width || height !== this.plot.height)) this.plot.setSize({ width, height });
  }

  /** @param {History} history */
  draw(history) {
    const raw = this.kind.lines.map(({ column }) => history.series[column] ?? []);
    const keep = 1 - 1 / Math.max(2, Math.min(40, history.steps.length / 12));
    const means = raw.map((values) => smooth(values, keep));
    this.plot.setData([history.steps, ...raw, ...means]);
    means.forEach((values, k) => {
      const last = values.at(-1);
      const text = typeof last === 'number' ? short(last) : '–';
      const place = /** @type {HTMLElement} */ (this.values[k]);
      if (place.textContent !== text) place.textContent = text;
    });
    if (this.details.open) this.#fillTable(history);
  }

  /** @param {History} history */
  #fillTable(history) {
    const caption = t('chart.table', { title: t(this.#words.title) });
    const heads = /** @type {Key[]} */ (['chart.step', ...this.kind.lines.map((line) => line.key)]).map((key) => t(key));
    const rows = history.sample(TABLE_ROWS).map((values) => [
      number(values[0] ?? 0),
      ...this.kind.lines.map(({ column }) => {
        const value = values[column + 1];
        return typeof value === 'number' ? short(value) : '–';
      }),
    ]);
    this.place.replaceChildren(table(caption, heads, rows));
  }

  get #words() {
    return (this.scores && this.kind.score) || this.kind;
  }

  relabel() {
    this.title.textContent = t(this.#words.title);
    this.note.textContent = t(this.#words.note);
    this.summary.textContent = t('chart.numbers');
    this.kind.lines.forEach((line, k) => (/** @type {HTMLElement} */ (this.names[k]).textContent = t(line.key)));
  }
}

export class ChartsView {
  #drawnAt = 0;
  #due = 0;

  /** @param {() => History} history */
  constructor(history) {
    this.history = history;
    this.charts = CHARTS.map((kind) => new Chart(kind));
    const resized = new ResizeObserver(() => this.charts.forEach((chart) => chart.fit()));
    for (const chart of this.charts) {
      resized.observe(chart.plotPlace);
      chart.details.addEventListener('toggle', () => this.draw());
    }
  }

  /** Soon, but seldom enough to leave the processor to the training. */
  update() {
    if (this.#due !== 0) return;
    const wait = Math.max(0, this.#drawnAt + 200 - performance.now());
    this.#due = window.setTimeout(() => this.draw(), wait);
  }

  draw() {
    clearTimeout(this.#due);
    this.#due = 0;
    this.#drawnAt = performance.now();
    for (const chart of this.charts) chart.draw(this.history());
  }

  /** Whether opinions are scores in the run that starts. @param {boolean} scores */
  start(scores) {
    for (const chart of this.charts) {
      chart.scores = scores && chart.kind.score !== undefined;
      chart.relabel();
    }
    this.draw();
  }

  /** After a change of language or theme. */
  restyle() {
    for (const chart of this.charts) {
      chart.relabel();
      chart.plot.redraw(false, true);
    }
    this.draw();
  }
}
