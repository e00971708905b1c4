// The doctor on the page: which findings show, and what a click on a cure does. It judges nothing: the engine does that.
//
// A cure that is live goes back to before the alarm began and on from there, changed; one that isn't begins a new run.

import { number, ruleWords, t } from './i18n/index.js';
import { withChange } from './state.js';
import { plain } from './views/alarms.js';

/** @typedef {import('./protocol.js').Alarm} Alarm */
/** @typedef {import('./protocol.js').Offer} Offer */
/** @typedef {import('./protocol.js').Diagnosis} Diagnosis */
/** @typedef {Diagnosis & {back: number | null, text: string}} Report */

/**
 * @typedef {object} Surroundings
 * @property {import('./state.js').State} state
 * @property {import('./player.js').Player} player
 * @property {import('./views/alarms.js').AlarmsView} view
 * @property {import('./views/notices.js').NoticesView} notices   where there is no room for more
 * @property {(values: Record<string, string>) => Promise<void>} change   settings, by a new run if need be
 * @property {(event: string, detail: unknown) => void} tell
 */

export class Doctor {
  /** Rules that a person wants to hear no more of in this run. @type {Set<string>} */
  #dismissed = new Set();
  /** What is shown of an alarm. @type {Set<string>} */
  #open = new Set();
  /** What was chosen, until the run has gone back for it. @type {{rule: string, offer: Offer | null} | null} */
  #chosen = null;

  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.around = surroundings;
  }

  /** Another run, or none. */
  start() {
    this.#dismissed.clear();
    this.#open.clear();
    this.#chosen = null;
    this.around.view.clear();
  }

  /** @param {Report} report */
  hear({ told, on, rescue, back }) {
    const { view, tell } = this.around;
    if (back !== null) this.#wentBack(back);
    for (const alarm of told) {
      tell('alarm', { rule: alarm.rule, since: alarm.since, step: alarm.spoke });
      if (alarm.rule === 'not-finite') this.#broke(alarm, rescue, back);
      else if (!this.#dismissed.has(alarm.rule)) this.#raise(alarm);
    }
    for (const rule of this.#open) {
      if (on.includes(rule) || rescue) continue;
      this.#open.delete(rule);
      view.note(rule, () => t('doctor.passed', { label: ruleWords(rule, this.#rules).label }));
      this.around.notices.dismiss(`run alarm ${rule}`);
    }
  }

  /** After a cure or an undo. @param {number} back */
  #wentBack(back) {
    const chosen = this.#chosen;
    this.#chosen = null;
    this.#dismissed.clear();
    this.#open.clear();
    if (!chosen?.offer) return;
    const { offer } = chosen;
    this.around.view.clear();
    this.around.view.note(chosen.rule, () => t('doctor.wentOn', { step: number(back), changes: this.changes(offer, true) }));
  }

  /** @param {Alarm} alarm @param {Diagnosis['rescue']} rescue @param {number | null} back */
  #broke(alarm, rescue, back) {
    const { view } = this.around;
    const changed = rescue?.changed;
    const where = () => {
      const { breakage } = rescue ?? {};
      if (!breakage) return t('doctor.brokeSomewhere', { step: number(alarm.since) });
      const { network, layer, step } = breakage;
      return t(network === 'generator' ? 'doctor.brokeG' : 'doctor.brokeD', { step: number(step), layer });
    };
    const then = () => {
      if (back === null) return t('doctor.lost');
      const step = number(back);
      return changed ? t('doctor.rescued', { step, changes: this.changes(changed, true) }) : t('doctor.rests', { step });
    };
    const words = () => `${where()} ${then()}`;
    view.clear();
    if (changed) view.note(alarm.rule, () => t('doctor.brief', { label: ruleWords(alarm.rule, this.#rules).label, reason: words(), cure: '' }), true);
    // The run has gone back already, or can't.
    else this.#raise({ ...alarm, since: rescue?.breakage?.step ?? alarm.since, before: null }, words, back === null);
  }

  /** @param {Alarm} alarm @param {() => string} [extra]   what else there is to say @param {boolean} [lost]   this run can't be mended */
  #raise(alarm, extra, lost = false) {
    const { state, view, notices } = this.around;
    const { rule, offers } = alarm;
    if (!extra) this.#open.add(rule);
    const [first] = offers;
    if (state.options.embed) {
      const words = () => {
        const { label, reason } = ruleWords(rule, this.#rules);
        return plain(t('doctor.brief', { label, reason: extra?.() ?? reason, cure: first ? this.cure(rule, first) : '' }));
      };
      const remedies = first ? [{ key: /** @type {const} */ ('doctor.apply'), act: () => this.#apply(alarm, first, lost) }] : [];
      notices.show(`run alarm ${rule}`, words, { calm: true, remedies });
      return;
    }
    view.show(rule, {
      words: () => ruleWords(rule, this.#rules),
      alarm,
      extra,
      cures: offers.map((offer) => ({
        words: () => this.cure(rule, offer),
        what: () => `${this.changes(offer)} · ${this.#how(alarm, offer, lost)}`,
        act: () => this.#apply(alarm, offer, lost),
      })),
      undo: alarm.before === null ? null : () => this.#undo(alarm),
      dismiss: () => {
        this.#dismissed.add(rule);
        this.#open.delete(rule);
      },
    });
  }

  /** @param {Alarm} alarm @param {Offer} offer @param {boolean} lost */
  #how({ before }, offer, lost) {
    if (lost || !offer.live) return t('doctor.newRun');
    return before === null ? t('doctor.live') : t('doctor.back', { step: number(before) });
  }

  /** @param {Alarm} alarm @param {Offer} offer @param {boolean} lost */
  #apply({ rule, before }, offer, lost) {
    const { state, player, change } = this.around;
    if (!state.resolved) return;
    // Who asks for a cure wants the run to go on, but not before it is changed.
    if (lost || !offer.live || before === null) {
      this.around.view.clear();
      if (lost) player.restart();
      void change(offer.changes).then(() => player.play());
      return;
    }
    this.#chosen = { rule, offer };
    player.undo(rule, offer.cure, withChange(state.resolved, offer.changes));
    player.play();
  }

  /** Rests there, since unchanged it would break again; the cures stay at hand. @param {Alarm} alarm */
  #undo(alarm) {
    const { state, player } = this.around;
    const { before } = alarm;
    if (!state.resolved || before === null) return;
    player.pause();
    this.#chosen = { rule: alarm.rule, offer: null };
    player.undo(alarm.rule, null, state.resolved.text);
    this.#raise({ ...alarm, before: null }, () => t('doctor.rests', { step: number(before) }));
  }

  get #rules() {
    return this.around.state.description?.rules ?? [];
  }

  /** @param {string} rule @param {Offer} offer */
  cure = (rule, offer) => ruleWords(rule, this.#rules).cures[offer.cure] ?? offer.cure;

  /** What is set to what. @param {Offer} offer @param {boolean} [done]   there is no before any more */
  changes({ changes }, done = false) {
    const { description, resolved } = this.around.state;
    return this.around.view.changes(changes, done ? null : (resolved?.values ?? null), description?.settings ?? []);
  }
}

