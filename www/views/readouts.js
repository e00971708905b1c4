// How far the run has come, and on what.

import { number, t } from '../i18n/index.js';

/** @typedef {import('../state.js').State} State */

/** @param {string} tag @param {string} className */
function make(tag, className = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 60) return t('readout.seconds', { n: number(seconds, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) });
  const whole = Math.floor(seconds);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export class ReadoutsView {
  constructor() {
    this.list = /** @type {HTMLElement} */ (document.getElementById('readouts'));
    /** @type {Record<string, {name: HTMLElement, value: HTMLElement}>} */
    this.rows = {};
    for (const key of ['step', 'images', 'elapsed', 'rate', 'engine']) {
      const row = make('div', key === 'step' ? 'main' : key === 'engine' ? 'engine' : '');
      const name = make('dt');
      const value = make('dd');
      row.append(name, value);
      this.list.append(row);
      this.rows[key] = { name, value };
    }
  }

  /** @param {State} state */
  update(state) {
    for (const [key, { name }] of Object.entries(this.rows)) {
      name.textContent = t(/** @type {import('../i18n/index.js').Key} */ (`readout.${key}`));
    }
    this.#set('step', number(state.step));
    this.#set('images', number(state.images));
    this.#set('elapsed', duration(state.elapsed));
    this.#set('rate', state.rate > 0 ? t('readout.perSecond', { n: number(state.rate, { maximumFractionDigits: state.rate < 10 ? 1 : 0 }) }) : '–');
    const { value } = /** @type {{value: HTMLElement}} */ (this.rows.engine);
    if (!state.engine || !state.reason) {
      value.textContent = '–';
      return;
    }
    const why = make('p', 'why');
    why.textContent = t(`reason.${state.reason}`);
    const onCpu = state.threads > 1 ? t('engine.shared', { n: state.threads }) : t('engine.alone');
    const adapter = state.engine === 'cpu' ? onCpu : state.adapter;
    const name = [t(`engine.${state.engine}`), adapter].filter(Boolean).join(' · ');
    if (value.textContent !== name + why.textContent) value.replaceChildren(name, why);
  }

  /** @param {string} key @param {string} text */
  #set(key, text) {
    const value = this.rows[key]?.value;
    if (value && value.textContent !== text) value.textContent = text;
  }
}
