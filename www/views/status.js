// What is going on, twice: a caption under the grid, always current, and a live
// region for those who listen, sparse.

import { number, t } from '../i18n/index.js';
import { showsScores, shownView } from '../state.js';
import { isUnlabelled } from './grid.js';
import { duration } from './readouts.js';

/** @typedef {import('../state.js').State} State */

/** Between two announcements of mere progress, ms. */
const SPARSE = 20_000;
/** Before the first one of a run. */
const FIRST = 3_000;

/** @param {number} bytes */
const megabytes = (bytes) => number(bytes / 1e6, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @param {number} p */
const opinion = (p) => number(p, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** @param {State} state */
function situationOf({ phase, wanted, away, step, loading }) {
  if (phase === 'failed') return 'failed';
  if (phase === 'playing') return 'playing';
  if (phase === 'paused') return wanted && away ? 'away' : step === 0 ? 'ready' : 'paused';
  return loading?.stage ?? 'start';
}

/** What the grid shows, in a sentence. @param {State} state @returns {import('../i18n/index.js').Key} */
function meaning(state) {
  const view = shownView(state);
  if (view !== 'averaged') return `view.${view}Meaning`;
  return isUnlabelled(state) ? 'grid.unlabelled' : 'grid.columns';
}

/** @param {string} situation @param {State} state */
function words(situation, { step, elapsed, rate, loading }) {
  const n = number(step);
  switch (situation) {
    case 'failed': return t('status.failed');
    case 'away': return t('status.away');
    case 'ready': return t('status.ready');
    case 'paused': return t('status.paused', { step: n });
    case 'playing': return t('status.caption', { step: n, elapsed: duration(elapsed), rate: number(rate, { maximumFractionDigits: 0 }) });
    case 'start': {
      const { loaded = 0, total = 0 } = loading ?? {};
      return total === 0 ? t('status.start') : `${t('status.start')} · ${t('status.shaders', { loaded: number(loaded), total: number(total) })}`;
    }
    case 'data':
    case 'more': {
      const { loaded = 0, total = 0 } = loading ?? {};
      const what = t(`status.${situation}`);
      if (total === 0) return what;
      return `${what} · ${t('status.bytes', { loaded: megabytes(Math.min(loaded, total)), total: megabytes(total) })}`;
    }
    default: return t('status.engine');
  }
}

export class StatusView {
  #said = '';
  #sayAt = 0;

  constructor() {
    this.caption = /** @type {HTMLElement} */ (document.getElementById('status'));
    this.roomy = matchMedia('(min-width: 60rem)');
    this.live = /** @type {HTMLElement} */ (document.getElementById('announce'));
  }

  /**
   * @param {State} state
   * @param {number[] | null} latest   the newest metrics
   */
  update(state, latest) {
    const situation = situationOf(state);
    const text = words(situation, state);
    // Beside the readouts the same numbers again would only be noise.
    const caption = situation === 'playing' && this.roomy.matches && !state.options.embed ? t(meaning(state)) : text;
    if (this.caption.textContent !== caption) this.caption.textContent = caption;
    const now = performance.now();
    const key = situation === 'paused' ? `paused ${state.step}` : situation;
    if (key !== this.#said) {
      this.#said = key;
      this.#sayAt = now + FIRST;
      this.live.textContent = situation === 'data' || situation === 'more' || situation === 'start' ? t(`status.${situation}`) : situation === 'playing' ? t('status.playing') : text;
    } else if (situation === 'playing' && now >= this.#sayAt) {
      this.#sayAt = now + SPARSE;
      this.live.textContent = this.#opinion(state, latest);
    }
  }

  /** @param {State} state @param {number[] | null} latest */
  #opinion(state, latest) {
    const [, , , real, fake] = latest ?? [];
    const step = number(state.step);
    if (real === undefined || fake === undefined || !latest?.every(Number.isFinite)) return t('status.step', { step });
    const words = { step, real: opinion(real), fake: opinion(fake) };
    return t(showsScores(state) ? 'status.score' : 'status.opinion', words);
  }
}
