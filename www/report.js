// A full report: so many images of one step go to the clinic in parts, so that it can say how far it is and be cancelled between them.

import { number, t } from './i18n/index.js';
import { asksForDigits } from './quality.js';

/** As many as the primer's report has: 600 of each digit. */
export const REPORTED = 6_000;
const PART = 600;

export class Reporter {
  /** A report's permission to go on. @type {{live: boolean} | null} */
  #token = null;

  /** @param {{state: import('./state.js').State, player: import('./player.js').Player, clinic: import('./clinic/clinic.js').Clinic, view: import('./views/report.js').ReportView}} around */
  constructor(around) {
    this.around = around;
  }

  cancel() {
    if (!this.#token) return;
    this.#token.live = false;
    this.#token = null;
    this.around.view.rest(() => t('report.cancelled'));
  }

  async start() {
    this.cancel();
    const token = (this.#token = { live: true });
    const { view } = this.around;
    try {
      const findings = await this.#findings(token);
      if (!findings || !token.live) return;
      this.#token = null;
      view.rest();
      view.show(findings);
    } catch (error) {
      if (!token.live) return;
      this.#token = null;
      const message = error instanceof Error ? error.message : String(error);
      view.rest(() => t('report.failed', { message }));
    }
  }

  /** @param {{live: boolean}} token @returns {Promise<import('./views/report.js').Findings | null>} */
  async #findings(token) {
    const { state, player, clinic, view } = this.around;
    const asked = asksForDigits(state);
    const count = number(REPORTED);
    view.work(() => t('report.drawing', { count }), NaN);
    const { step, images, labels, side } = await player.sample(REPORTED, false);
    const shares = Array(10).fill(0);
    for (let first = 0; first < REPORTED; first += PART) {
      if (!token.live) return null;
      view.work(() => t('report.reading', { done: number(first), count }), first / REPORTED);
      const part = {
        images: images.slice(first * side * side, (first + PART) * side * side), labels: labels.slice(first, first + PART), side,
      };
      const reading = await clinic.gather(part, asked, first === 0);
      reading.digits.forEach((digit) => (shares[digit] += 1 / REPORTED));
    }
    if (!token.live) return null;
    const entropy = -shares.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0);
    view.work(() => t('report.neighbours'), NaN);
    const { report, distance } = await clinic.report();
    const findings = { step, count: REPORTED, report, shares, entropy, distance, neighbours: null };
    // What is known by now, while the rest is measured.
    if (token.live) view.show(findings);
    const neighbours = await clinic.neighbours();
    return { ...findings, neighbours };
  }
}
