// The grid's place, and a second one for the raw generator: fresh canvases for
// each run (a canvas has one context for life), the skeleton until they are
// drawn, the hairline that shows loading, and the choice between the two.

import { number, t } from '../i18n/index.js';
import { averages, shownView } from '../state.js';

/** @typedef {import('../state.js').State} State */

/** Without labels no column stands for a digit. @param {State} state */
export const isUnlabelled = ({ resolved }) => resolved?.values.condition === 'none';

const CELL = 30;
const LEAST = 2;
const MOST = 8;

/** A grid's place, with the canvas of the newest run. */
class Place {
  /** @type {HTMLCanvasElement | null} */
  #canvas = null;

  /** @param {string} id */
  constructor(id) {
    this.element = /** @type {HTMLElement} */ (document.getElementById(id));
  }

  /** The old canvas stays until the new one shows something. */
  newCanvas() {
    this.#canvas = document.createElement('canvas');
    this.element.append(this.#canvas);
    return this.#canvas.transferControlToOffscreen();
  }

  /** @param {import('../state.js').State['phase']} phase */
  update(phase) {
    const { children } = this.element;
    if (this.#canvas && (phase === 'playing' || phase === 'paused') && !this.#canvas.classList.contains('shown')) {
      this.#canvas.classList.add('shown');
      for (const old of [...children]) if (old !== this.#canvas) old.remove();
    }
    if (phase === 'failed') for (const canvas of children) canvas.classList.remove('shown');
  }
}

export class GridView {
  /** @param {(view: import('../protocol.js').View) => void} choose */
  constructor(choose) {
    this.averaged = new Place('canvas');
    this.raw = new Place('raw');
    this.plate = /** @type {HTMLElement} */ (document.getElementById('plate'));
    this.progress = /** @type {HTMLProgressElement} */ (document.getElementById('progress'));
    this.views = /** @type {HTMLElement} */ (document.getElementById('views'));
    this.buttons = [...this.views.querySelectorAll('button')];
    for (const button of this.buttons) {
      button.addEventListener('click', () => choose(/** @type {import('../protocol.js').View} */ (button.value)));
    }
  }

  /**
   * Canvases with a whole number of pixels to an image pixel, at least as fine
   * as the screen where only one shows.
   */
  newCanvases() {
    // Even, so that it is whole for images of 56 pixels as well.
    const scale = 2 * Math.ceil(((this.plate.clientWidth * devicePixelRatio) / (CELL * 10) - 0.05) / 2);
    return { canvas: this.averaged.newCanvas(), raw: this.raw.newCanvas(), scale: Math.max(LEAST, Math.min(MOST, scale)) };
  }

  /** @param {State} state */
  update(state) {
    const { loading, phase } = state;
    document.body.classList.toggle('unlabelled', isUnlabelled(state));
    document.documentElement.style.setProperty('--rows', String(state.rows));
    const label = t(isUnlabelled(state) ? 'grid.unlabelled' : 'grid.label', { rows: number(state.rows) });
    this.averaged.element.setAttribute('aria-label', label);
    this.raw.element.setAttribute('aria-label', t('grid.raw', { grid: label }));
    this.averaged.update(phase);
    this.raw.update(phase);
    this.#showViews(state);
    const counted = loading && loading.total > 0;
    this.progress.classList.toggle('still', !loading && phase !== 'loading');
    if (counted) this.progress.value = Math.max(0, Math.min(1, loading.loaded / loading.total));
    else this.progress.value = phase === 'loading' ? 0 : 1;
    this.progress.ariaHidden = loading || phase === 'loading' ? null : 'true';
    this.progress.ariaLabel = t('status.data');
  }

  /** @param {State} state */
  #showViews(state) {
    const view = shownView(state);
    /** @type {HTMLElement} */ (document.body).dataset.view = view;
    /** @type {HTMLElement} */ (this.averaged.element.parentElement).hidden = view === 'raw';
    /** @type {HTMLElement} */ (this.raw.element.parentElement).hidden = view === 'averaged';
    // Until the settings are there nobody knows that there is no average.
    const off = state.resolved !== null && !averages(state);
    this.views.classList.toggle('off', off);
    this.views.title = off ? t('view.off') : '';
    for (const button of this.buttons) {
      button.disabled = off;
      button.title = off ? t('view.off') : t(/** @type {import('../i18n/index.js').Key} */ (`view.${button.value}Hint`));
      button.setAttribute('aria-pressed', String(button.value === (off ? 'raw' : state.view)));
    }
  }
}
