// What the doctor has found, beside the digits: a name, the reason, the measure against its limit, and ways out. Quiet: it
// moves nothing else but what lies below it, asks for nothing, and can be sent away.

import { choiceLabel, number, numberOrLess, rich, settingWords, t } from '../i18n/index.js';

/** @typedef {import('../protocol.js').Alarm} Alarm */
/** @typedef {import('../i18n/index.js').RuleWords} RuleWords */

/**
 * @typedef {object} Finding
 * @property {() => RuleWords} words
 * @property {Alarm} alarm
 * @property {(() => string) | undefined} extra   what else there is to say, instead of the measure
 * @property {{words: () => string, what: () => string, act: () => void}[]} cures
 * @property {(() => void) | null} undo   to before it began
 * @property {() => void} dismiss
 */

/** @param {number | null} value */
const figure = (value) => (value === null ? '∞' : numberOrLess(value, 1e-6, { maximumSignificantDigits: 3 }));

export class AlarmsView {
  /** @type {Map<string, {element: HTMLElement, relabel: () => void}>} */
  #shown = new Map();

  constructor() {
    this.place = /** @type {HTMLElement} */ (document.getElementById('alarms'));
    this.live = /** @type {HTMLElement} */ (document.getElementById('alarm-said'));
  }

  /** @param {string} rule   what shows of it already gives way @param {Finding} finding */
  show(rule, finding) {
    const { alarm } = finding;
    // What has been dealt with makes room.
    for (const [other, { element }] of this.#shown) if (other !== rule && element.classList.contains('note')) this.#remove(other);
    const name = make('h2');
    const since = make('span', 'since');
    const summary = make('summary');
    summary.append(name, since);
    const reason = make('p', 'reason');
    const extra = make('p', 'extra');
    extra.hidden = !finding.extra;
    const measure = make('p', 'measure');
    measure.hidden = Boolean(finding.extra);
    const cures = make('ul', 'cures');
    const rows = finding.cures.map((cure) => {
      const act = button(cure.act);
      const what = make('p', 'what');
      const row = make('li');
      row.append(act, what);
      return { cure, act, what, row };
    });
    cures.append(...rows.map(({ row }) => row));
    const undo = button(() => finding.undo?.());
    undo.hidden = !finding.undo;
    const close = button(() => {
      finding.dismiss();
      this.#remove(rule);
    });
    close.className = 'dismiss';
    const last = make('p', 'last');
    last.append(undo, close);
    const element = /** @type {HTMLDetailsElement} */ (make('details', 'alarm'));
    element.dataset.rule = rule;
    // The first is the gravest; others wait to be asked.
    element.open = this.place.querySelector('details[open]') === null || Boolean(finding.extra);
    element.append(summary, reason, extra, measure, cures, last);
    this.#put(rule, element, () => {
      const words = finding.words();
      name.textContent = words.label;
      since.textContent = t('doctor.since', { step: number(alarm.since) });
      reason.textContent = words.reason;
      extra.replaceChildren(rich(finding.extra?.() ?? ''));
      const against = make('span', 'against');
      const value = make('b');
      value.textContent = figure(alarm.value);
      against.append(value, t('doctor.limit', { limit: figure(words.threshold) }));
      measure.replaceChildren(words.measure, ' ', against);
      for (const { cure, act, what } of rows) {
        act.textContent = cure.words();
        what.textContent = cure.what();
      }
      undo.textContent = t('doctor.undo', { step: number(alarm.before ?? 0) });
      close.textContent = t('notice.close');
    });
    const { label, reason: why } = finding.words();
    this.live.textContent = plain(t('doctor.brief', { label, reason: finding.extra?.() ?? why, cure: '' }));
  }

  /**
   * What came of it, in a line or two.
   * @param {string} rule
   * @param {() => string} words
   * @param {boolean} [grave]
   */
  note(rule, words, grave = false) {
    const text = make('p');
    const close = button(() => this.#remove(rule));
    close.className = 'dismiss';
    const element = make('div', grave ? 'alarm note grave' : 'alarm note');
    element.dataset.rule = rule;
    element.append(text, close);
    this.#put(rule, element, () => {
      text.replaceChildren(rich(words()));
      close.textContent = t('notice.close');
    });
    this.live.textContent = plain(words());
  }

  clear() {
    for (const rule of [...this.#shown.keys()]) this.#remove(rule);
  }

  relabel() {
    for (const { relabel } of this.#shown.values()) relabel();
  }

  /**
   * @param {Record<string, string>} changes
   * @param {Record<string, string> | null} before
   * @param {import('../protocol.js').Setting[]} settings
   */
  changes(changes, before, settings) {
    const parts = Object.entries(changes).map(([key, value]) => {
      const setting = settings.find((s) => s.key === key);
      const label = setting ? settingWords(setting).label : key;
      const word = (/** @type {string} */ text) => {
        const choice = setting?.choices?.find((c) => c.value === text);
        if (choice) return choiceLabel(key, choice);
        return setting?.kind === 'flag' ? t(text === 'on' ? 'settings.on' : 'settings.off') : text;
      };
      const from = before?.[key];
      return t('doctor.change', { label, change: from === undefined ? word(value) : `${word(from)} → ${word(value)}` });
    });
    return parts.join(t('doctor.and'));
  }

  /** @param {string} rule @param {HTMLElement} element @param {() => void} relabel */
  #put(rule, element, relabel) {
    const old = this.#shown.get(rule)?.element;
    const held = old?.contains(document.activeElement) ?? false;
    relabel();
    if (old) old.replaceWith(element);
    else this.place.append(element);
    this.#shown.set(rule, { element, relabel });
    // Who pressed a button in it is not thrown back to the top of the page.
    if (held) /** @type {HTMLElement | null} */ (element.querySelector('summary, button'))?.focus();
  }

  /** @param {string} rule */
  #remove(rule) {
    const shown = this.#shown.get(rule);
    if (!shown) return;
    if (shown.element.contains(document.activeElement)) document.getElementById('controls')?.focus({ preventScroll: true });
    shown.element.remove();
    this.#shown.delete(rule);
  }
}

/** Without the marks for colours. @param {string} text */
export const plain = (text) => rich(text).textContent ?? '';

/** @param {string} tag @param {string} [name] */
function make(tag, name) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  return element;
}

/** @param {() => void} act */
function button(act) {
  const element = document.createElement('button');
  element.type = 'button';
  element.addEventListener('click', act);
  return element;
}
