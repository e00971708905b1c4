// The way to "Fooling the judge" and back: the section is loaded when somebody first opens it.

import { t } from '../i18n/index.js';

export class Door {
  /** @type {Promise<ReturnType<typeof import('./section.js').fooling>> | null} */
  #section = null;

  /**
   * @param {import('../views/notices.js').NoticesView} notices
   * @param {string} data   address of the folder of MNIST
   */
  constructor(notices, data) {
    this.notices = notices;
    this.data = data;
  }

  async toggle() {
    const place = /** @type {HTMLElement} */ (document.getElementById('fooling'));
    const button = /** @type {HTMLElement} */ (document.getElementById('judge-toggle'));
    const open = place.hidden;
    place.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    if (!open) return button.focus();
    try {
      this.#section ??= import('./section.js').then(({ fooling }) => fooling(this.data, () => void this.toggle()));
      await this.#section;
      place.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      this.#section = null;
      place.hidden = true;
      button.setAttribute('aria-expanded', 'false');
      this.notices.show('judge', () => t('fooling.failed', { message: error instanceof Error ? error.message : String(error) }));
    }
  }

  /** After a change of language. */
  relabel() {
    void this.#section?.then(({ view }) => view.relabel());
  }
}
