// The grid's place: a fresh canvas for each run (a canvas has one context for
// life), the skeleton until it is drawn, and the hairline that shows loading.

import { number, t } from '../i18n/index.js';

/** @typedef {import('../state.js').State} State */

/** Without labels no column stands for a digit. @param {State} state */
export const isUnlabelled = ({ resolved }) => resolved?.values.condition === 'none';

const CELL = 30;
const MOST = 8;

export class GridView {
  constructor() {
    this.place = /** @type {HTMLElement} */ (document.getElementById('canvas'));
    this.progress = /** @type {HTMLProgressElement} */ (document.getElementById('progress'));
    /** @type {HTMLCanvasElement | null} */
    this.canvas = null;
  }

  /**
   * A canvas with a whole number of pixels to an image pixel, at least as fine
   * as the screen. The old one stays until the new one shows something.
   */
  newCanvas() {
    const canvas = document.createElement('canvas');
    this.place.append(canvas);
    this.canvas = canvas;
    const scale = Math.ceil((this.place.clientWidth * devicePixelRatio) / (CELL * 10) - 0.05);
    return { canvas: canvas.transferControlToOffscreen(), scale: Math.max(1, Math.min(MOST, scale)) };
  }

  /** @param {State} state */
  update(state) {
    const { loading, phase } = state;
    document.body.classList.toggle('unlabelled', isUnlabelled(state));
    document.documentElement.style.setProperty('--rows', String(state.rows));
    this.place.setAttribute('aria-label', t(isUnlabelled(state) ? 'grid.unlabelled' : 'grid.label', { rows: number(state.rows) }));
    if (this.canvas && (phase === 'playing' || phase === 'paused') && !this.canvas.classList.contains('shown')) {
      this.canvas.classList.add('shown');
      for (const old of [...this.place.children]) if (old !== this.canvas) old.remove();
    }
    if (phase === 'failed') for (const canvas of this.place.children) canvas.classList.remove('shown');
    const counted = loading && loading.total > 0;
    this.progress.classList.toggle('still', !loading && phase !== 'loading');
    if (counted) this.progress.value = Math.max(0, Math.min(1, loading.loaded / loading.total));
    else this.progress.value = phase === 'loading' ? 0 : 1;
    this.progress.ariaHidden = loading || phase === 'loading' ? null : 'true';
    this.progress.ariaLabel = t('status.data');
  }
}
