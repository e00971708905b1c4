// A small read-only view of the page for scripts, tests and embedding pages:
//
//   window.digitForge.state()    step, playing, ready, engine, adapter, threads, reason, settings, view, rate, …
//   window.digitForge.images()   the grid as bytes: rows × columns images of 28 × 28 (or 56 × 56, as `size` says), ink = 255
//   window.digitForge.events     ready · step · playing · paused · reading · alarm · failed · error

import { tellParent } from './embed.js';
import { fullText, shownView } from './state.js';

/** The parent is told of steps at most this often, ms. */
const STEP_EVERY = 250;

/**
 * @param {import('./state.js').State} state
 * @param {import('./player.js').Player} player
 * @returns {(event: string, detail: unknown) => void}   announces something more
 */
export function publish(state, player) {
  const events = new EventTarget();
  const snapshot = () => ({
    step: state.step,
    images: state.images,
    playing: state.phase === 'playing',
    wanted: state.wanted,
    ready: state.phase === 'playing' || state.phase === 'paused',
    phase: state.phase,
    engine: state.engine,
    adapter: state.adapter,
    threads: state.threads,
    reason: state.reason,
    data: state.data,
    settings: state.resolved ? fullText(state.resolved) : '',
    view: shownView(state),
    rate: state.rate,
    elapsed: state.elapsed,
    rows: state.rows,
    columns: state.columns,
  });
  /** @param {string} event @param {unknown} detail */
  const tell = (event, detail) => {
    events.dispatchEvent(new CustomEvent(event, { detail }));
    tellParent(event, detail);
  };
  let phase = '';
  let run = 0;
  let step = -1;
  let toldAt = 0;
  player.addEventListener('change', () => {
    const now = snapshot();
    if (now.ready && run !== state.run) {
      run = state.run;
      tell('ready', now);
    }
    if (now.phase !== phase) {
      phase = now.phase;
      if (phase === 'playing' || phase === 'paused') tell(phase, now);
    }
    if (now.step !== step && (performance.now() - toldAt > STEP_EVERY || phase === 'paused')) {
      step = now.step;
      toldAt = performance.now();
      tell('step', now);
    }
  });
  player.addEventListener('failed', (event) => tell('failed', /** @type {CustomEvent} */ (event).detail));
  Object.defineProperty(window, 'digitForge', {
    value: Object.freeze({ state: snapshot, images: () => player.images(), events }),
  });
  if (state.options.embed) announceHeight(state);
  return tell;
}

/**
 * The height at which the grid would be as wide as its frame, above the notices.
 * The styles say how much room is around it, in rem, and how two of them lie.
 * @param {import('./state.js').State} state
 */
function announceHeight(state) {
  const place = /** @type {HTMLElement} */ (document.querySelector('.hero'));
  const plate = /** @type {HTMLElement} */ (document.getElementById('plate'));
  const notices = /** @type {HTMLElement} */ (document.getElementById('notices'));
  const tellHeight = () => {
    const style = getComputedStyle(plate);
    const value = (/** @type {string} */ name) => Number.parseFloat(style.getPropertyValue(name));
    const around = value('--around') * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const height = (place.clientWidth * state.rows * value('--down')) / (state.columns * value('--across'));
    const noticed = notices.offsetHeight;
    document.body.style.setProperty('--noticed', `${noticed}px`);
    tellParent('size', { height: Math.ceil(around + height + noticed) });
  };
  const observer = new ResizeObserver(tellHeight);
  for (const element of [place, notices]) observer.observe(element);
  addEventListener('load', tellHeight);
}
