// The full report on demand: images of one step, read in parts, then tables: each digit's scores beside those of real images, which digit
// was read for which, and distances with what real images have.

import { number, t } from '../i18n/index.js';
import { figure } from './meters.js';
import { head, row, table } from './table.js';

/** @typedef {import('../i18n/index.js').Key} Key */
/** @typedef {import('../clinic/protocol.js').Report} Report */
/** @typedef {import('../clinic/protocol.js').Table} Table */
/** @typedef {import('../clinic/protocol.js').Scores} Scores */
/** @typedef {import('../clinic/protocol.js').Distance} Distance */
/** @typedef {import('../clinic/protocol.js').Neighbours} Neighbours */
/** @typedef {{step: number, count: number, report: Report | null, shares: number[], entropy: number, distance: Distance, neighbours: {images: Neighbours, floor: Neighbours} | null}} Findings */

/** @param {string} tag @param {string} text */
function make(tag, text = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/** @param {HTMLElement} element */
function scrolled(element) {
  const frame = document.createElement('div');
  frame.className = 'scroll';
  frame.append(element);
  return frame;
}

/** @param {number} value */
const score = (value) => number(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 });

/** @param {string} [text] */
const cellOf = (text = '') => /** @type {HTMLTableCellElement} */ (make('td', text));

/** @param {Table} table */
function confusion({ confusion: counts }) {
  const element = document.createElement('table');
  element.className = 'confusion';
  element.createCaption().textContent = t('report.confusion');
  const rows = counts.map((line, digit) => {
    const all = line.reduce((sum, count) => sum + count, 0);
    const cells = line.map((count) => {
      const cell = cellOf(count > 0 ? number(count) : '');
      const share = all > 0 ? count / all : 0;
      // The root, so that a few wrong ones are seen beside many right ones.
      cell.style.setProperty('--shade', `${Math.round(85 * Math.sqrt(share))}%`);
      cell.style.setProperty('--dark', share > 0.3 ? '100%' : '0%');
      return cell;
    });
    return row([head(String(digit), 'row'), ...cells]);
  });
  element.append(row([cellOf(), ...counts.map((_, digit) => head(String(digit), 'col'))]), ...rows);
  return scrolled(element);
}

/** A mean and how far it may be off. @param {number} mean @param {number} deviation */
const between = (mean, deviation) => `${figure(mean)} ± ${figure(deviation)}`;

export class ReportView {
  /** @type {Findings | null} */
  #findings = null;
  /** @type {(() => string) | null} */
  #word = null;
  #busy = false;

  /** @param {{start: () => void, cancel: () => void, count: number}} asked */
  constructor({ start, cancel, count }) {
    this.count = count;
    const place = /** @type {HTMLElement} */ (document.getElementById('report'));
    const bar = make('div');
    bar.className = 'row';
    this.button = /** @type {HTMLButtonElement} */ (make('button'));
    this.button.type = 'button';
    this.button.addEventListener('click', () => (this.#busy ? cancel() : start()));
    this.progress = /** @type {HTMLProgressElement} */ (make('progress'));
    this.progress.hidden = true;
    this.said = make('span');
    this.said.className = 'hint';
    this.said.id = 'report-said';
    this.progress.setAttribute('aria-labelledby', this.said.id);
    // What is announced, which isn't every number.
    this.live = make('p');
    this.live.className = 'announce';
    this.live.setAttribute('role', 'status');
    bar.append(this.button, this.progress, this.said);
    this.place = document.createElement('div');
    place.append(bar, this.live, this.place);
  }

  /** @param {boolean} can whether there is a run to report on */
  allow(can) {
    this.button.disabled = !can && !this.#busy;
  }

  /** While it is made; `part` of 1, or NaN where nobody knows. @param {() => string} word @param {number} part */
  work(word, part) {
    this.#busy = true;
    this.#word = word;
    this.progress.hidden = false;
    if (Number.isNaN(part)) this.progress.removeAttribute('value');
    else this.progress.value = part;
    this.#tell();
    // Where a stage begins.
    if (!(part > 0)) this.live.textContent = this.said.textContent;
  }

  /** @param {(() => string) | null} word */
  rest(word = null) {
    this.#busy = false;
    this.#word = word;
    this.progress.hidden = true;
    this.#tell();
    this.live.textContent = word ? this.said.textContent : '';
  }

  /** @param {Findings | null} findings */
  show(findings) {
    this.#findings = findings;
    this.#draw();
  }

  relabel() {
    this.#tell();
    this.#draw();
  }

  #tell() {
    this.button.textContent = this.#busy ? t('report.cancel') : t('report.start', { count: number(this.count) });
    this.said.textContent = this.#word?.() ?? t('report.hint');
  }

  #draw() {
    const findings = this.#findings;
    if (!findings) return this.place.replaceChildren();
    const title = make('h3', t('report.title', { step: number(findings.step), count: number(findings.count) }));
    const tables = document.createElement('div');
    tables.className = 'tables';
    if (findings.report) tables.append(scrolled(this.#scores(findings.report)), confusion(findings.report.images));
    else tables.append(scrolled(this.#histogram(findings)));
    tables.append(scrolled(this.#distances(findings)));
    this.place.replaceChildren(title, tables);
  }

  /** @param {Report} report */
  #scores({ images, real }) {
    /** @param {Key | number} name @param {Scores} scores @param {Scores} ceiling @returns {[string, ...string[]]} */
    const line = (name, { precision, recall, f1, support }, ceiling) => [
      typeof name === 'number' ? String(name) : t(name), score(precision), score(recall), score(f1), number(support), score(ceiling.f1),
    ];
    const same = (/** @type {Table} */ { accuracy, macro }) => ({ precision: accuracy, recall: accuracy, f1: accuracy, support: macro.support });
    const columns = /** @type {Key[]} */ (['report.digit', 'report.precision', 'report.recall', 'report.f1', 'report.support', 'report.realF1']);
    return table(t('report.scores'), columns.map((key) => t(key)), [
      ...images.digits.map((scores, digit) => line(digit, scores, /** @type {Scores} */ (real.digits[digit]))),
      line('report.micro', same(images), same(real)),
      line('report.macro', images.macro, real.macro),
      line('report.weighted', images.weighted, real.weighted),
    ]);
  }

  /** @param {Findings} findings */
  #histogram({ shares, entropy }) {
    const words = t('report.unconditional', { entropy: number(entropy, { maximumFractionDigits: 3 }) });
    return table(words, [t('report.digit'), t('report.share')], shares.map((share, digit) => [String(digit), score(share)]));
  }

  /** @param {Findings} findings */
  #distances({ distance, neighbours }) {
    /** @type {[string, ...string[]][]} */
    const rows = [[t('report.fd', { n: number(distance.images) }), figure(distance.fd), figure(distance.floor)]];
    if (neighbours) {
      const { images, floor } = neighbours;
      rows.push([t('report.kid'), between(images.kid, images.kidDeviation), between(floor.kid, floor.kidDeviation)]);
      const names = /** @type {const} */ ({ precision: 'report.sPrecision', recall: 'report.sRecall', density: 'report.density', coverage: 'report.coverage' });
      for (const key of /** @type {(keyof typeof names)[]} */ (Object.keys(names))) rows.push([t(names[key]), figure(images[key]), figure(floor[key])]);
    }
    return table(t('report.distances'), [t('report.figure'), t('report.generated'), t('report.floor')], rows);
  }
}
