// A full report: so many images of one step, read in a clinic of its own, which closes with the report and with it frees what it
// holds. In parts, so that it can say how far it is; it can be cancelled at any moment.

import { number, t } from './i18n/index.js';
import { asksForDigits } from './quality.js';

/** @typedef {import('./clinic/clinic.js').Clinic} Clinic */
/** @typedef {import('./views/report.js').Findings} Findings */

/** As many as the primer's report has: 600 of each digit. */
export const REPORTED = 6_000;
/** Of them read at a time. */
const PART = 600;

/**
 * @typedef {object} Surroundings
 * @property {Pick<import('./state.js').State, 'resolved'>} state
 * @property {Pick<import('./player.js').Player, 'gather'>} player
 * @property {() => Pick<Clinic, 'open' | 'gather' | 'report' | 'neighbours' | 'close'>} clinic   a new one
 * @property {Pick<import('./views/report.js').ReportView, 'work' | 'rest' | 'show'>} view
 */

export class Reporter {
  /** What ends the report that is being made. @type {AbortController | null} */
  #making = null;

  /** @param {Surroundings} around */
  constructor(around) {
    this.around = around;
  }

  cancel() {
    if (!this.#making) return;
    this.#making.abort();
    this.#making = null;
    this.around.view.rest(() => t('report.cancelled'));
  }

  async start() {
    this.cancel();
    const making = (this.#making = new AbortController());
    const { signal } = making;
    const { view } = this.around;
    const clinic = this.around.clinic();
    signal.addEventListener('abort', () => clinic.close());
    try {
      const findings = await this.#findings(clinic, signal);
      view.rest();
      view.show(findings);
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      view.rest(() => t('report.failed', { message }));
    } finally {
      clinic.close();
      if (this.#making === making) this.#making = null;
    }
  }

  /** Throws once it is cancelled. @param {ReturnType<Surroundings['clinic']>} clinic @param {AbortSignal} signal @returns {Promise<Findings>} */
  async #findings(clinic, signal) {
    const { state, player, view } = this.around;
    const asked = asksForDigits(state);
    const count = number(REPORTED);
    // It reads real images meanwhile. A failure is met where it is waited for.
    const opened = clinic.open();
    opened.catch(() => {});
    const drawing = (/** @type {number} */ done) => view.work(() => t('report.drawing', { done: number(done), count }), done / REPORTED);
    drawing(0);
    const { step, images, labels, side } = await player.gather(REPORTED, { told: drawing, signal });
    signal.throwIfAborted();
    view.work(() => t('report.opening'), NaN);
    await opened;
    const shares = Array(10).fill(0);
    for (let first = 0; first < REPORTED; first += PART) {
      signal.throwIfAborted();
      view.work(() => t('report.reading', { done: number(first), count }), first / REPORTED);
      const part = {
        images: images.slice(first * side * side, (first + PART) * side * side), labels: labels.slice(first, first + PART), side,
      };
      const { digits } = await clinic.gather(part, asked);
      digits.forEach((digit) => (shares[digit] += 1 / REPORTED));
    }
    signal.throwIfAborted();
    const entropy = -shares.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0);
    view.work(() => t('report.reading', { done: count, count }), NaN);
    const { report, distance } = await clinic.report();
    signal.throwIfAborted();
    const findings = { step, count: REPORTED, report, shares, entropy, distance, neighbours: null };
    // What is known by now, while the rest is measured.
    view.show(findings);
    view.work(() => t('report.neighbours'), NaN);
    const neighbours = await clinic.neighbours();
    signal.throwIfAborted();
    return { ...findings, neighbours };
  }
}
