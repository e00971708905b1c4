// The data set in force, and what somebody can train on instead: files of their own, and a pad to draw on.

import { number, t } from '../i18n/index.js';
import { LEAST } from '../own/collection.js';
import { SIDE } from '../own/idx.js';
import { turned } from '../own/supply.js';
import { PadView } from './pad.js';
import { thumb } from './thumbs.js';

/** @typedef {import('../state.js').State} State */
/** @typedef {import('../protocol.js').OwnData} OwnData */
/** @typedef {import('../own/collection.js').Collection} Collection */

const MNIST = 60_000;
/** Of a pair's images, so many are shown. */
const PREVIEWED = 24;

/** The data set's name and how much of it is used. @param {State} state */
export function dataWords({ data, resolved }) {
  const name = data === null ? 'MNIST' : (data.name ?? t('data.own'));
  const found = data?.found ?? MNIST;
  const used = Math.min(data?.count ?? MNIST, Number(resolved?.values.images ?? MNIST));
  return t(used < found ? 'data.some' : 'data.all', { name, count: number(found), used: number(used) });
}

/** @template {HTMLElement} T @param {string} id */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

export class DataView {
  /**
   * @param {object} wishes
   * @param {(files: File[]) => void} wishes.take
   * @param {() => void} wishes.mnist
   * @param {(turned: boolean) => void} wishes.turn
   * @param {(label: number) => void} wishes.add   what is on the pad
   * @param {(k: number, label: number | null) => void} wishes.relabel
   * @param {(k: number) => void} wishes.remove
   * @param {() => void} wishes.removeAll
   * @param {() => void} wishes.train
   */
  constructor(wishes) {
    this.wishes = wishes;
    this.place = byId('data');
    /** @type {HTMLInputElement} */
    this.input = byId('data-file');
    this.input.addEventListener('change', () => {
      const files = [...(this.input.files ?? [])];
      // So that the same files can be chosen again.
      this.input.value = '';
      wishes.take(files);
    });
    byId('data-choose').addEventListener('click', () => this.input.click());
    byId('data-mnist').addEventListener('click', () => {
      wishes.mnist();
      // The button is gone.
      byId('data-choose').focus();
    });
    /** @type {HTMLInputElement} */
    this.turn = byId('data-turn');
    this.turn.addEventListener('change', () => wishes.turn(this.turn.checked));
    this.pad = new PadView(byId('pad'), { digit: (digit) => this.#choose(digit), add: () => this.#add() });
    this.pad.addEventListener('change', () => this.#padChanged());
    this.pad.addEventListener('pen', () => this.say(t(this.pad.penIsDown ? 'data.penDown' : 'data.penUp')));
    byId('pad-add').addEventListener('click', () => this.#add());
    byId('pad-undo').addEventListener('click', () => this.pad.undo());
    byId('pad-clear').addEventListener('click', () => this.pad.clear());
    byId('data-train').addEventListener('click', () => wishes.train());
    byId('data-none').addEventListener('click', () => wishes.removeAll());
    this.#buildDigits();
    this.#padChanged();
  }

  get isOpen() {
    return !this.place.hidden;
  }

  /** Shows or hides all of it. @param {boolean} open */
  open(open) {
    this.place.hidden = !open;
    byId('data-toggle').setAttribute('aria-expanded', String(open));
    if (!open) return byId('data-toggle').focus();
    this.place.scrollIntoView({ block: 'nearest' });
    this.pad.repaint();
  }

  /** To those who listen. @param {string} words */
  say(words) {
    byId('data-said').textContent = words;
  }

  /** @param {State} state @param {OwnData | null} own */
  showInForce(state, own) {
    byId('data-name').textContent = dataWords(state);
    byId('data-mnist').hidden = own === null;
    byId('data-badge').textContent = own ? '•' : '';
    const isPair = own !== null && own.name !== null;
    byId('data-turning').hidden = !isPair;
    this.turn.checked = own?.turned ?? false;
    const list = byId('data-preview');
    list.hidden = !isPair;
    list.replaceChildren(...(isPair ? preview(own) : []));
  }

  /** @param {Collection} collection */
  showCollection(collection) {
    const { items } = collection;
    byId('data-list').replaceChildren(...items.map((item, k) => this.#item(item, k)));
    byId('data-empty').hidden = items.length > 0;
    byId('data-counts').hidden = items.length === 0;
    this.showLabels(collection);
    byId('data-none').hidden = items.length === 0;
  }

  /** What labels change, while the list stays. @param {Collection} collection */
  showLabels(collection) {
    const { items, counts, unlabelled } = collection;
    counts.forEach((count, digit) => (byId(`data-count-${digit}`).textContent = number(count)));
    const wants = [
      ...(items.length < LEAST ? [t('data.need', { least: LEAST, count: items.length })] : []),
      ...(unlabelled > 0 ? [t('data.unlabelled', { count: unlabelled })] : []),
    ];
    byId('data-wants').textContent = wants.join(' ');
    /** @type {HTMLButtonElement} */ (byId('data-train')).disabled = !collection.isReady;
  }

  /** After an image is gone, where the keyboard was. @param {number} k */
  focusItem(k) {
    const buttons = [...byId('data-list').querySelectorAll('button')];
    (buttons[Math.min(k, buttons.length - 1)] ?? byId('data-choose')).focus();
  }

  #buildDigits() {
    const row = byId('pad-digits');
    for (let digit = 0; digit < 10; digit++) {
      const label = document.createElement('label');
      const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'pad-digit', value: String(digit), checked: digit === 0 });
      label.append(input, String(digit));
      row.append(label);
    }
    const cells = Array.from({ length: 10 }, (_, digit) => {
      const cell = document.createElement('td');
      cell.id = `data-count-${digit}`;
      return cell;
    });
    byId('data-count-row').append(...cells);
  }

  get #digit() {
    return Number(/** @type {HTMLInputElement} */ (document.querySelector('[name="pad-digit"]:checked')).value);
  }

  /** @param {number} digit */
  #choose(digit) {
    /** @type {HTMLInputElement} */ (document.querySelector(`[name="pad-digit"][value="${digit}"]`)).checked = true;
    this.say(String(digit));
  }

  #add() {
    if (!this.pad.isEmpty) this.wishes.add(this.#digit);
  }

  #padChanged() {
    for (const id of ['pad-add', 'pad-undo', 'pad-clear']) /** @type {HTMLButtonElement} */ (byId(id)).disabled = this.pad.isEmpty;
  }

  /** @param {import('../own/collection.js').Item} item @param {number} k */
  #item({ image, label }, k) {
    const n = number(k + 1);
    const item = document.createElement('li');
    const select = document.createElement('select');
    select.setAttribute('aria-label', t('data.labelOf', { n }));
    select.append(new Option('?', ''), ...Array.from({ length: 10 }, (_, digit) => new Option(String(digit))));
    select.value = label === null ? '' : String(label);
    item.classList.toggle('unlabelled', label === null);
    select.addEventListener('change', () => {
      item.classList.toggle('unlabelled', select.value === '');
      this.wishes.relabel(k, select.value === '' ? null : Number(select.value));
    });
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.textContent = '×';
    remove.title = t('data.remove', { n });
    remove.setAttribute('aria-label', remove.title);
    remove.addEventListener('click', () => this.wishes.remove(k));
    item.append(thumb(image, t('data.image', { n })), select, remove);
    return item;
  }
}

/** The first images of a pair, over their labels. @param {OwnData} own */
function preview({ images, labels, count, turned: isTurned }) {
  const pixels = SIDE * SIDE;
  return Array.from({ length: Math.min(count, PREVIEWED) }, (_, k) => {
    const image = images.subarray(k * pixels, (k + 1) * pixels);
    const item = document.createElement('li');
    const caption = document.createElement('span');
    caption.textContent = String(labels[k]);
    item.append(thumb(isTurned ? turned(image) : image, t('data.image', { n: number(k + 1) })), caption);
    return item;
  });
}
