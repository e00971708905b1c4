// What the discriminator wants, over the grid: each fake's gradient in two colours, on canvases of the page's own that lie on
// those of the run; and a sentence that says so.

import { number, rich, t } from '../i18n/index.js';
import { composeWishes } from '../paint.js';
import { shownView } from '../state.js';
import { colour } from './theme.js';

/** @typedef {import('../state.js').State} State */
/** @typedef {Extract<import('../protocol.js').FromWorker, {type: 'wants'}>} Wants */
/** A canvas over a grid. */
class Over {
  /** @type {Float32Array | null} */
  #values = null;
  #side = 28;

  /** @param {string} id   of the grid */
  constructor(id) {
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'wishes';
    this.canvas.ariaHidden = 'true';
    document.getElementById(id)?.after(this.canvas);
  }

  /** @param {Float32Array | null} values @param {number} side */
  show(values, side) {
    this.#values = values;
    this.#side = side;
    this.draw();
  }

  draw() {
    // Kept where the pixels come from.
    const context = this.canvas.getContext('2d', { willReadFrequently: true });
    if (!this.#values) return void (this.canvas.width = this.canvas.height = 1);
    const rgb = (/** @type {'more'|'less'} */ name) => /** @type {import('../paint.js').Rgb} */ ((colour(name).match(/[\d.]+/g) ?? []).slice(0, 3).map(Number));
    const { width, height, pixels } = composeWishes(this.#values, this.#side, 10, { more: rgb('more'), less: rgb('less') });
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    context?.putImageData(new ImageData(pixels, width, height), 0, 0);
  }
}

export class WishesView {
  /** @type {Wants | null} */
  #latest = null;

  constructor() {
    this.button = /** @type {HTMLButtonElement} */ (document.getElementById('wishes-toggle'));
    this.note = /** @type {HTMLElement} */ (document.getElementById('wishes'));
    this.cost = document.createElement('span');
    this.averaged = new Over('canvas');
    this.raw = new Over('raw');
  }

  /** @param {State} state */
  update(state) {
    const { wishes } = state;
    if (document.body.classList.contains('wishes') !== wishes) {
      document.body.classList.toggle('wishes', wishes);
      this.button.setAttribute('aria-pressed', String(wishes));
      this.note.hidden = !wishes;
      if (!wishes) this.clear();
    }
    const view = shownView(state);
    this.averaged.canvas.hidden = view === 'raw';
    this.raw.canvas.hidden = view === 'averaged';
  }

  /** Before a run's first, and without any. */
  clear() {
    this.#latest = null;
    this.averaged.show(null, 28);
    this.raw.show(null, 28);
    this.#sayCost();
  }

  /** @param {Wants} wants */
  show(wants) {
    const before = this.#latest;
    this.#latest = wants;
    this.averaged.show(wants.averaged, wants.side);
    this.raw.show(wants.raw, wants.side);
    if (before?.error !== wants.error) this.relabel();
    this.#sayCost();
  }

  #sayCost() {
    const { share = null } = this.#latest ?? {};
    const text = share === null ? '' : t('wishes.cost', { share: number(share, { style: 'percent', maximumFractionDigits: 0 }) });
    if (this.cost.textContent !== text) this.cost.textContent = text;
  }

  relabel() {
    const { error } = this.#latest ?? {};
    if (error) return this.note.replaceChildren(t('wishes.refused', { message: error }));
    const key = (/** @type {'more'|'less'} */ name) => {
      const word = document.createElement('span');
      word.className = `wish ${name}`;
      word.append(document.createElement('i'), t(`wishes.${name}`));
      return word;
    };
    this.note.replaceChildren(key('more'), key('less'), rich(t('wishes.meaning')), ' ', this.cost);
    this.#sayCost();
  }

  /** After a change of theme. */
  restyle() {
    this.averaged.draw();
    this.raw.draw();
  }
}
