// The section "Fooling the judge": twenty real digits under attack, the judge's accuracy over the attack's strength, and a
// judge that is taught here. Built when it is first opened.

import { MOST, countRight, STRENGTHS } from '../fooling/attack.js';
import { keepFocus } from '../focus.js';
import { number, rich, t } from '../i18n/index.js';
import { curve } from './curve.js';
import { table } from './table.js';
import { thumb } from './thumbs.js';

/** @typedef {import('../fooling/lab.js').FoolingLab} FoolingLab */
/** @typedef {import('../fooling/lab.js').Lab} Lab */
/** @typedef {import('../i18n/index.js').Key} Key */

/** @param {number} share */
const percent = (share) => number(share, { style: 'percent', maximumFractionDigits: 0 });
/** @param {number} share */
const exactPercent = (share) => number(share, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
/** @param {number} strength */
const plain = (strength) => number(strength, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {string} [className] @param {string} [text] */
function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** The two lines' names and looks. */
const LINES = /** @type {const} */ ([['pinned', 'fooling.pinned'], ['taught', 'fooling.taught']]);

export class FoolingView {
  /** What the digits shown were drawn of. @type {Uint8Array | null} */
  #drawn = null;

  /**
   * @param {FoolingLab} lab
   * @param {() => void} close
   */
  constructor(lab, close) {
    this.lab = lab;
    this.close = close;
    this.place = /** @type {HTMLElement} */ (document.getElementById('fooling'));
    this.said = make('p', 'announce');
    this.said.setAttribute('role', 'status');
    lab.addEventListener('change', () => this.update());
    this.build();
  }

  relabel() {
    keepFocus(this.place, () => this.build());
  }

  /** In the language of now. */
  build() {
    this.#drawn = null;
    const head = make('header');
    head.append(make('h2', '', t('fooling.title')));
    const close = Object.assign(make('button', 'close', t('settings.close')), { type: 'button' });
    close.addEventListener('click', this.close);
    head.append(close);
    const note = make('p', 'note');
    note.append(rich(t('fooling.note')));
    this.problem = make('p', 'problem');
    this.retry = Object.assign(make('button', '', t('notice.retry')), { type: 'button' });
    this.retry.addEventListener('click', () => this.lab.open());
    const problem = make('p', 'row');
    problem.append(this.retry);
    this.groups = make('div', 'groups');
    this.groups.append(this.#digitsGroup(), this.#curveGroup(), this.#lessonGroup());
    this.place.replaceChildren(head, note, this.problem, problem, this.groups, this.said);
    this.update();
  }

  /** @param {Key} title */
  #group(title) {
    const group = make('section', 'group');
    group.append(make('h3', '', t(title)));
    return group;
  }

  #digitsGroup() {
    const group = this.#group('fooling.digits');
    group.classList.add('attacked');
    const field = make('div', 'field');
    const label = make('label', '', t('fooling.strength'));
    label.htmlFor = 'fooling-strength';
    this.shownStrength = make('output');
    this.shownStrength.htmlFor.add('fooling-strength');
    this.slider = Object.assign(make('input'), { type: 'range', id: 'fooling-strength', min: '0', max: String(MOST), step: '0.01', value: String(this.lab.lab.strength) });
    this.slider.addEventListener('input', () => this.lab.attack(Number(this.slider?.value)));
    field.append(label, this.shownStrength, this.slider);
    this.list = make('ul', 'thumbs');
    this.list.setAttribute('aria-label', t('fooling.digits'));
    this.tally = make('p', 'tally');
    group.append(field, this.list, this.tally);
    return group;
  }

  #curveGroup() {
    const group = this.#group('fooling.curve');
    this.legend = make('div', 'legend');
    this.curvePlace = make('div');
    this.curveProgress = make('progress');
    this.curveProgress.ariaLabel = t('fooling.curve');
    const details = make('details', 'numbers');
    this.curveTable = make('div');
    details.append(make('summary', '', t('chart.numbers')), this.curveTable);
    group.append(this.legend, this.curvePlace, this.curveProgress, make('p', 'hint', t('fooling.curveHint')), details);
    return group;
  }

  #lessonGroup() {
    const group = this.#group('fooling.teach');
    const row = make('p', 'row');
    this.teachButton = Object.assign(make('button'), { type: 'button', id: 'fooling-teach' });
    this.teachButton.addEventListener('click', () => (this.lab.lab.lesson?.goesOn ? this.lab.stop() : this.lab.teach()));
    this.useButton = Object.assign(make('button'), { type: 'button', id: 'fooling-use' });
    this.useButton.addEventListener('click', () => this.lab.use('taught'));
    this.backButton = Object.assign(make('button', '', t('fooling.back')), { type: 'button', id: 'fooling-back' });
    this.backButton.addEventListener('click', () => {
      // This button is about to go.
      (this.useButton?.hidden ? this.teachButton : this.useButton)?.focus();
      this.lab.use('pinned');
    });
    row.append(this.teachButton, this.useButton, this.backButton);
    this.lessonPlace = make('div');
    this.lessonProgress = make('progress');
    this.lessonProgress.ariaLabel = t('fooling.teach');
    this.lessonWords = make('p', 'tally');
    const details = make('details', 'numbers');
    this.lessonTable = make('div');
    details.append(make('summary', '', t('chart.numbers')), this.lessonTable);
    group.append(make('p', 'hint', t('fooling.teachHint')), row, this.lessonPlace, this.lessonProgress, this.lessonWords, details);
    return group;
  }

  update() {
    const { lab } = this.lab;
    const failed = lab.phase === 'failed';
    if (!this.problem || !this.retry || !this.groups) return;
    this.problem.textContent = failed ? t('fooling.failed', { message: lab.message }) : lab.phase === 'loading' ? t('fooling.loading') : '';
    this.problem.hidden = lab.phase === 'ready';
    this.retry.hidden = !failed;
    this.groups.hidden = lab.phase !== 'ready';
    if (lab.phase !== 'ready') return;
    this.#updateDigits(lab);
    this.#updateCurve(lab);
    this.#updateLesson(lab);
  }

  /** @param {Lab} lab */
  #updateDigits(lab) {
    const { images, before, after, labels, strength } = lab;
    const words = plain(strength);
    if (this.shownStrength && this.shownStrength.textContent !== words) this.shownStrength.textContent = words;
    if (!images || !after || images === this.#drawn || !this.list || !this.tally) return;
    this.#drawn = images;
    const size = images.length / labels.length;
    this.list.replaceChildren(...Array.from(labels, (label, k) => {
      const digit = Number(after[k]);
      const first = before ? Number(before[k]) : digit;
      const item = make('li', digit === label ? '' : 'wrong');
      const wasRead = t('fooling.read', { label, before: first, after: digit });
      const caption = make('span', 'reads', first === digit && digit === label ? String(digit) : `${first} → ${digit}`);
      if (digit !== label) caption.append(Object.assign(make('span', 'unseen', t('fooling.wrong'))));
      item.append(thumb(images.subarray(k * size, (k + 1) * size), wasRead), caption);
      return item;
    }));
    this.tally.textContent = t('fooling.tally', { right: countRight(after, labels), count: labels.length });
  }

  /** @param {Lab} lab */
  #updateCurve(lab) {
    if (!this.curvePlace || !this.curveProgress || !this.curveTable || !this.legend) return;
    const there = LINES.filter(([who]) => lab.curves[who]);
    const shares = (/** @type {import('../fooling/worker.js').Who} */ who) => lab.curves[who]?.right.map((right) => right / (lab.curves[who]?.count ?? 1)) ?? [];
    const lines = there.map(([who]) => ({ className: who, points: shares(who).map((share, k) => /** @type {[number, number]} */ ([STRENGTHS[k] ?? 0, share])) }));
    this.curvePlace.replaceChildren(curve({ most: MOST, ticks: [0, 0.1, 0.2, MOST], name: (tick) => number(tick), share: percent, lines, mark: lab.strength }));
    this.legend.replaceChildren(...LINES.filter(([who]) => who === 'pinned' || lab.curves.taught).map(([who, key]) => {
      const entry = make('span', who);
      entry.append(make('i'), t(key));
      return entry;
    }));
    const done = lab.curves[lab.who]?.done ?? 0;
    this.curveProgress.value = done;
    this.curveProgress.hidden = done >= 1;
    const heads = [t('fooling.strength'), ...there.map(([, key]) => t(key))];
    const rows = STRENGTHS.map((strength, k) => [plain(strength), ...there.map(([who]) => {
      const share = shares(who)[k];
      return share === undefined ? '–' : exactPercent(share);
    })]);
    this.curveTable.replaceChildren(table('', heads, rows));
  }

  /** @param {Lab} lab */
  #updateLesson(lab) {
    const { lesson, who } = lab;
    if (!this.teachButton || !this.useButton || !this.backButton || !this.lessonPlace || !this.lessonProgress || !this.lessonWords || !this.lessonTable) return;
    const isOver = lesson !== null && lesson.step >= lesson.steps;
    this.#rename(this.teachButton, t(lesson?.goesOn ? 'fooling.stop' : isOver ? 'fooling.again' : lesson ? 'fooling.goOn' : 'fooling.start'));
    this.#rename(this.useButton, t(who === 'taught' ? 'fooling.useNow' : 'fooling.use'));
    this.useButton.hidden = !lesson || lesson.step === 0;
    this.backButton.hidden = who === 'pinned';
    for (const part of [this.lessonPlace, this.lessonProgress, this.lessonWords, this.lessonTable.parentElement]) if (part) part.hidden = !lesson;
    if (!lesson) return;
    const { step, steps, rate, looks } = lesson;
    const lines = [{ className: 'taught', points: looks }];
    this.lessonPlace.replaceChildren(curve({ most: steps, ticks: [0, steps / 2, steps], name: (tick) => number(tick), share: percent, lines }));
    this.lessonProgress.value = step / steps;
    const latest = looks.at(-1)?.[1] ?? 0;
    this.lessonWords.textContent = t('fooling.lesson', { step: number(step), steps: number(steps), accuracy: exactPercent(latest), rate: number(rate, { maximumFractionDigits: 1 }) });
    const rows = looks.map(([at, share]) => [number(at), exactPercent(share)]);
    this.lessonTable.replaceChildren(table('', [t('chart.step'), t('fooling.heldOut')], rows));
    const said = lesson.goesOn ? t('fooling.teaching') : isOver ? t('fooling.over', { accuracy: exactPercent(latest) }) : t('fooling.stopped');
    if (this.said.textContent !== said) this.said.textContent = said;
  }

  /** @param {HTMLElement} button @param {string} words */
  #rename(button, words) {
    if (button.textContent !== words) button.textContent = words;
  }
}
