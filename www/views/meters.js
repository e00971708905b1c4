// The meters: what the judge reads, as numbers, as ten bars, and as a distance over time, which a table says as well.

import uPlot from './plot.js';
import { evenly } from '../history.js';
import { number, numberOrLess, rich, t } from '../i18n/index.js';
import { topOf } from './bars.js';
import { TABLE_ROWS } from './charts.js';
import { table } from './table.js';
import { colour } from './theme.js';

/** @typedef {import('../i18n/index.js').Key} Key */
/** @typedef {import('../quality.js').Moment} Moment */

/** From which agreement on a digit is legible. */
export const LEGIBLE = 0.8;
/** Readings that the chart remembers; of older ones every second is forgotten. */
const MOST = 600;

/** @param {number | null | undefined} value */
export const percent = (value) => (typeof value === 'number' && Number.isFinite(value) ? number(value, { style: 'percent', maximumFractionDigits: 0 }) : '–');

/** With the three digits that count. @param {number | null | undefined} value @param {number} [least] */
export const figure = (value, least = 1e-6) => (typeof value === 'number' && Number.isFinite(value) ? numberOrLess(value, least, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }) : '–');

/** How many digits are read as asked for. @param {number[] | null} agreements */
export const legible = (agreements) => agreements?.filter((agreement) => agreement >= LEGIBLE).length ?? null;

/** @param {string} tag @param {string} className */
function make(tag, className = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

/** @type {{key: Key, hint?: Key, show: (moment: Moment) => string}[]} */
const SCORES = [
  { key: 'quality.legible', hint: 'quality.legibleHint', show: ({ reading }) => (reading.agreements ? t('quality.ofTen', { n: number(legible(reading.agreements) ?? 0) }) : '–') },
  { key: 'quality.agreement', show: ({ reading }) => percent(reading.agreement) },
  { key: 'quality.entropy', show: ({ reading }) => percent(reading.entropy / Math.LN10) },
  { key: 'quality.within', hint: 'quality.withinHint', show: ({ reading }) => figure(reading.within, 0.001) },
  { key: 'quality.accuracy', hint: 'quality.accuracyHint', show: ({ accuracy }) => percent(accuracy) },
  { key: 'quality.preference', hint: 'quality.preferenceHint', show: ({ preference }) => percent(preference) },
  { key: 'quality.gradientD', show: ({ vitals }) => figure(vitals?.[0]) },
  { key: 'quality.gradientG', show: ({ vitals }) => figure(vitals?.[1]) },
];

/** Of a logarithmic axis only tens count. @param {unknown} _ @param {number[]} ticks */
const decades = (_, ticks) => ticks.map((tick) => (/^10*$/.test(String(tick)) ? tick : null));

export class MetersView {
  /** @type {Moment | null} */
  #moment = null;
  /** Steps, distances, floors. @type {[number[], number[], number[]]} */
  #course = [[], [], []];
  /** Why there is nothing new. @type {(() => string) | null} */
  #word = null;
  #count = 0;
  #foreign = false;

  /** @param {() => void} again after a failure */
  constructor(again) {
    const scores = /** @type {HTMLElement} */ (document.getElementById('quality-scores'));
    this.rows = SCORES.map(({ key }) => {
      const row = make('div', key === 'quality.legible' ? 'main' : '');
      const [name, value] = [make('dt'), make('dd')];
      row.append(name, value);
      scores.append(row);
      return { row, name, value };
    });
    const read = /** @type {HTMLElement} */ (document.getElementById('quality-read'));
    this.readTitle = make('h3');
    const bars = make('ol', 'bars');
    this.scale = bars;
    this.bars = Array.from({ length: 10 }, (_, digit) => {
      const bar = make('li');
      const [fill, name] = [make('i'), make('span')];
      // The bar says it all, and says which digit.
      fill.role = 'img';
      name.textContent = String(digit);
      name.ariaHidden = 'true';
      bar.append(fill, name);
      bars.append(bar);
      return { bar, fill };
    });
    this.readNote = make('p', 'note');
    read.append(this.readTitle, bars, this.readNote);
    const distance = /** @type {HTMLElement} */ (document.getElementById('quality-distance'));
    this.distanceTitle = make('h3');
    this.now = make('p', 'now');
    this.place = make('div', 'plot');
    this.place.ariaHidden = 'true';
    this.distanceNote = make('p', 'note');
    this.details = /** @type {HTMLDetailsElement} */ (make('details', 'numbers'));
    this.summary = make('summary');
    this.tablePlace = make('div');
    this.details.append(this.summary, this.tablePlace);
    this.details.addEventListener('toggle', () => this.#fillTable());
    distance.append(this.distanceTitle, this.now, this.place, this.distanceNote, this.details);
    this.plot = this.#plot();
    new ResizeObserver(() => this.#fit()).observe(this.place);
    this.cost = /** @type {HTMLElement} */ (document.getElementById('quality-cost'));
    this.again = make('button', 'quiet');
    this.again.addEventListener('click', again);
  }

  #plot() {
    const axis = { stroke: () => colour('soft'), ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const compact = (/** @type {number} */ value) => number(value, Math.abs(value) >= 10_000 ? { notation: 'compact' } : {});
    return new uPlot({
      width: 300, height: 130, padding: [8, 16, 0, 0],
      legend: { show: false }, cursor: { show: false },
      scales: { x: { time: false }, y: { distr: 3, range: (_, low, high) => [Math.max(0.5, (low || 1) / 1.5), Math.max(10, (high || 10) * 1.5)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: 70, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? compact(tick) : '')) },
        { ...axis, grid: { stroke: () => colour('line'), width: 1, filter: decades }, size: 42, filter: decades, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : compact(tick))) },
      ],
      series: [
        {},
        { stroke: () => colour('generator'), width: 2, points: { show: false } },
        { stroke: () => colour('soft'), width: 1.5, dash: [6, 4], points: { show: false } },
      ],
    }, [[], [], []], this.place);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (width > 0 && (width !== this.plot.width || height !== this.plot.height)) this.plot.setSize({ width, height });
  }

  /** Another run. */
  start() {
    this.#moment = null;
    this.#course = [[], [], []];
    this.say(() => t('quality.waiting'));
    this.#draw();
  }

  /** Instead of news. @param {() => string} word @param {boolean} failed */
  say(word, failed = false) {
    this.#word = word;
    this.again.hidden = !failed;
    this.#tell();
  }

  /** @param {Moment} moment @param {number} count images read @param {boolean} foreign whether the data are not MNIST's */
  show(moment, count, foreign) {
    // What D prefers isn't asked each time.
    const preference = moment.preference ?? this.#moment?.preference ?? null;
    this.#moment = { ...moment, preference };
    this.#foreign = foreign;
    this.#count = count;
    this.#word = null;
    this.again.hidden = true;
    const [steps, distances, floors] = this.#course;
    // Back to an earlier step: what came after it is undone.
    while ((steps.at(-1) ?? -1) >= moment.step) for (const values of this.#course) values.pop();
    steps.push(moment.step);
    distances.push(moment.distance.fd);
    floors.push(moment.distance.floor);
    if (steps.length > MOST) this.#course = /** @type {[number[], number[], number[]]} */ (this.#course.map((values) => values.filter((_, k) => k % 2 === 1)));
    this.#draw();
  }

  #draw() {
    const moment = this.#moment;
    SCORES.forEach(({ show }, k) => {
      const { value } = /** @type {{value: HTMLElement}} */ (this.rows[k]);
      value.textContent = moment ? show(moment) : '–';
    });
    const top = topOf(moment?.reading.shares ?? []);
    this.scale.style.setProperty('--tenth', String(0.1 / top));
    this.bars.forEach(({ bar, fill }, digit) => {
      const share = moment?.reading.shares[digit] ?? 0;
      const agreement = moment?.reading.agreements?.[digit];
      fill.style.height = `${Math.min(100, (100 * share) / top)}%`;
      bar.className = agreement !== undefined && agreement < LEGIBLE ? 'pale' : '';
      const words = { digit, share: percent(share), agreement: percent(agreement) };
      const said = t(agreement === undefined ? 'quality.readBarOnly' : 'quality.readBar', words);
      fill.ariaLabel = said;
      bar.title = moment ? said : '';
    });
    this.plot.setData(this.#course);
    this.#fillTable();
    this.now.textContent = moment ? t('quality.distanceNow', { fd: figure(moment.distance.fd), floor: figure(moment.distance.floor) }) : '–';
    this.#tell();
  }

  #fillTable() {
    if (!this.details.open) return;
    const [steps, distances, floors] = this.#course;
    const rows = evenly(steps.length, TABLE_ROWS).map((at) => [number(steps[at] ?? 0), figure(distances[at]), figure(floors[at])]);
    const heads = [t('chart.step'), t('quality.fd'), t('quality.floor')];
    this.tablePlace.replaceChildren(table(t('chart.table', { title: t('quality.distance') }), heads, rows));
  }

  #tell() {
    const moment = this.#moment;
    const words = this.#word?.() ?? (moment ? t('quality.cost', {
      count: number(this.#count), step: number(moment.step),
      share: number(moment.share, { style: 'percent', maximumSignificantDigits: 2 }),
    }) : t('quality.waiting'));
    this.cost.replaceChildren(words, ...(this.#foreign ? [' ', t('quality.foreign')] : []), ...(this.again.hidden ? [] : [' ', this.again]));
  }

  /** After a change of language or theme. */
  restyle() {
    SCORES.forEach(({ key, hint }, k) => {
      const { row, name } = /** @type {{row: HTMLElement, name: HTMLElement}} */ (this.rows[k]);
      name.replaceChildren(rich(t(key)));
      if (hint) row.title = t(hint);
    });
    this.readTitle.textContent = t('quality.read');
    this.readNote.textContent = t('quality.readNote');
    this.distanceTitle.textContent = t('quality.distance');
    this.distanceNote.textContent = t('quality.distanceNote', { n: number(this.#moment?.distance.images ?? 400) });
    this.summary.textContent = t('chart.numbers');
    this.again.textContent = t('quality.again');
    this.plot.redraw(false, true);
    this.#draw();
  }
}
