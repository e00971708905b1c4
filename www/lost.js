// A run that a restart has ended, kept in memory for a while: one key too many need not cost it.

import { number, t } from './i18n/index.js';
import { WorkerEnded } from './player.js';

/** Steps from which on a run is missed. */
export const DEAR = 300;
/** However fast the new run is, so much of it leaves time to think of the old, ms. */
const LEAST = 20_000;

const NOTICE = 'lost';

export class LostRun {
  /** How far it was. */
  #step = Infinity;

  /**
   * @param {object} around
   * @param {import('./state.js').State} around.state
   * @param {import('./player.js').Player} around.player
   * @param {import('./views/notices.js').NoticesView} around.notices
   * @param {(resolved: import('./protocol.js').Resolved, checkpoint: Uint8Array) => void} around.begin
   */
  constructor({ state, player, notices, begin }) {
    this.notices = notices;
    player.addEventListener('kept', (event) => {
      const { step, file } = /** @type {CustomEvent<{step: number, file: Uint8Array}>} */ (event).detail;
      this.#step = step;
      const act = () => void player.check(file).then((resolved) => begin(resolved, file)).catch(unlessEnded);
      const words = () => ({ step: number(step) });
      notices.show(NOTICE, () => t('lost.restarted'), { calm: true, remedies: [{ key: 'lost.bringBack', words, act }] });
    });
    player.addEventListener('progress', () => {
      // As much has been trained anew.
      if (state.step >= this.#step && state.elapsed >= LEAST) this.forget();
    });
  }

  forget() {
    this.#step = Infinity;
    this.notices.dismiss(NOTICE);
  }
}

/** That the worker ended has been told already. @param {unknown} error */
function unlessEnded(error) {
  if (!(error instanceof WorkerEnded)) throw error;
}
