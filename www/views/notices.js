// What a person should know: said plainly, dismissible, with what they can do. Where there is little room one of them shows, and how
// many wait behind it.

import { number, t } from '../i18n/index.js';

/** @typedef {import('../i18n/index.js').Key} Key */
/** @typedef {{key: Key, words?: () => Record<string, string>, act: () => void}} Remedy */

export class NoticesView {
  /** @type {Map<string, {element: HTMLElement, relabel: () => void}>} */
  #shown = new Map();

  constructor() {
    this.place = /** @type {HTMLElement} */ (document.getElementById('notices'));
  }

  /**
   * @param {string} id   a later notice of the same id takes its place
   * @param {() => string} words   asked again when the language changes
   * @param {{calm?: boolean, remedies?: Remedy[]}} options
   */
  show(id, words, { calm = false, remedies = [] } = {}) {
    this.dismiss(id);
    const element = document.createElement('div');
    element.className = calm ? 'notice calm' : 'notice';
    element.dataset.id = id;
    element.setAttribute('role', calm ? 'status' : 'alert');
    const text = document.createElement('p');
    const buttons = remedies.map((remedy) => button(() => {
      this.dismiss(id);
      remedy.act();
    }));
    const close = button(() => this.dismiss(id));
    close.className = 'dismiss';
    const more = document.createElement('span');
    more.className = 'more';
    const relabel = () => {
      text.textContent = words();
      remedies.forEach(({ key, words: names }, k) => (/** @type {HTMLElement} */ (buttons[k]).textContent = t(key, names?.())));
      close.textContent = t('notice.close');
    };
    relabel();
    element.append(text, ...buttons, more, close);
    this.place.append(element);
    this.#shown.set(id, { element, relabel });
    this.#count();
  }

  /** @param {string} id   or its beginning, with a star at the end */
  dismiss(id) {
    for (const [key, { element }] of this.#shown) {
      if (key !== id && !(id.endsWith('*') && key.startsWith(id.slice(0, -1)))) continue;
      const held = element.contains(document.activeElement);
      element.remove();
      this.#shown.delete(key);
      // Who pressed a button in it is not thrown back to the top of the page.
      if (held) (/** @type {HTMLElement | null} */ (this.place.querySelector('.dismiss')) ?? document.getElementById('controls'))?.focus({ preventScroll: true });
    }
    this.#count();
  }

  relabel() {
    for (const notice of this.#shown.values()) notice.relabel();
    this.#count();
  }

  /** Says how many wait behind the first. */
  #count() {
    const others = this.#shown.size - 1;
    const first = this.place.querySelector('.more');
    if (first) first.textContent = others > 0 ? t('notice.more', { count: number(others) }) : '';
  }
}

/** @param {() => void} act */
function button(act) {
  const element = document.createElement('button');
  element.type = 'button';
  element.addEventListener('click', act);
  return element;
}
