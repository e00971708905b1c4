// Settings, from wherever they come: the address, a parent page, a control, a cure. The core says what they mean, what is wrong
// is told, and what is left goes to the run or to a new one; the address and the controls follow.

import { reasonFor, t } from './i18n/index.js';
import { WorkerEnded } from './player.js';
import { fullText, isForeign, shareLink, withChange, writeHash } from './state.js';

/** @typedef {import('./protocol.js').Resolved} Resolved */
/** @typedef {import('./protocol.js').SettingError} SettingError */
/** @typedef {Pick<import('./state.js').Address, 'settings' | 'mixed'>} Wanted */

/**
 * @typedef {object} Surroundings
 * @property {import('./state.js').State} state
 * @property {import('./player.js').Player} player
 * @property {import('./views/notices.js').NoticesView} notices
 * @property {import('./views/settings.js').SettingsView} settings
 * @property {import('./views/networks.js').NetworksView} networks
 * @property {() => void} shown   what else shows the settings in force
 * @property {(event: string, detail: unknown) => void} tell
 */

export class Steering {
  #opened = false;
  /** What a page that isn't open yet will open with. */
  #waiting;
  /** @type {Promise<void>} */
  #settled = Promise.resolve();

  /** @param {Surroundings} around @param {Wanted} first   what the address says */
  constructor(around, first) {
    this.around = around;
    this.first = first;
    this.#waiting = first;
  }

  /** Nothing is fetched and nothing trains before. */
  open() {
    if (this.#opened) return;
    this.#opened = true;
    this.around.player.open();
    this.load(this.#waiting);
  }

  /**
   * From the address or the parent: what is wrong is left out, and said. A run of just these settings goes on.
   * @param {Wanted} wanted
   * @param {boolean} [anew]   not even then
   */
  load(wanted, anew = false) {
    if (!this.#opened) return void (this.#waiting = wanted);
    this.#inTurn(async () => {
      const { state, player, notices } = this.around;
      notices.dismiss('notice.setting *');
      const resolved = await player.resolve(wanted.settings);
      this.report(resolved.errors.filter((error) => !wanted.mixed || !isForeign(error)), 'notice.setting');
      const { resolved: before, phase } = state;
      const isSame = before?.preset === resolved.preset && this.#differing(resolved, before).length === 0;
      if (isSame && phase !== 'failed' && !anew) this.#show(before);
      else this.begin(resolved);
    });
  }

  /** From a control: what is wrong changes nothing. @param {Record<string, string>} values */
  change(values) {
    return this.#inTurn(async () => {
      const { state, player, notices, settings, networks } = this.around;
      const { resolved } = state;
      if (!resolved) return;
      const next = await player.resolve(withChange(resolved, values));
      notices.dismiss('notice.setting *');
      settings.update(state);
      void networks.show(resolved.text);
      if (next.errors.length === 0) return this.#take(next, resolved);
      this.report(next.errors, 'notice.setting');
      for (const { key } of next.errors) settings.refuse(key);
    });
  }

  /** While a control moves, the networks show where it leads. @param {Record<string, string>} values */
  preview(values) {
    const { state, networks } = this.around;
    if (state.resolved) void networks.show(withChange(state.resolved, values));
  }

  resetAll() {
    const { resolved } = this.around.state;
    if (resolved) this.change({ preset: resolved.preset });
  }

  /** Takes over what a cure has changed in the engine. @param {string} text */
  follow(text) {
    this.#inTurn(async () => {
      const { state, player } = this.around;
      const resolved = await player.resolve(text);
      if (resolved.text === state.resolved?.text) return;
      state.resolved = resolved;
      this.#show(resolved);
    });
  }

  /** @param {Resolved} resolved @param {Uint8Array | null} checkpoint */
  begin(resolved, checkpoint = null) {
    this.around.player.start(resolved, checkpoint);
    this.#show(resolved);
  }

  /** After the engine itself failed to load there are no settings yet to restart. */
  revive() {
    const { state, player } = this.around;
    if (state.resolved) return player.restart();
    player.open();
    this.load(this.first);
  }

  /** @param {SettingError[]} errors @param {'notice.setting'|'notice.option'} key */
  report(errors, key) {
    const { state, notices, tell } = this.around;
    for (const error of errors) {
      notices.show(`${key} ${error.key}`, () => t(key, { ...error, message: reasonFor(error, state.description) }));
      tell('error', { ...error });
    }
  }

  /** The page's address for somebody else, with the run in it. */
  get link() {
    const { resolved, options, view } = this.around.state;
    const page = location.origin + location.pathname;
    return resolved ? shareLink(page, fullText(resolved), options, view) : page;
  }

  showLink() {
    const open = /** @type {HTMLAnchorElement} */ (document.getElementById('open'));
    open.href = this.link;
  }

  /** One after the other, so that none starts from what another is about to change. @param {() => Promise<void>} task */
  #inTurn(task) {
    return (this.#settled = this.#settled.then(task).catch((error) => {
      // That the worker ended has been told already.
      if (!(error instanceof WorkerEnded)) throw error;
    }));
  }

  /** @param {Resolved} next @param {Resolved} before */
  #differing(next, before) {
    return this.around.state.description?.settings.filter(({ key }) => next.values[key] !== before.values[key]) ?? [];
  }

  /** By a new run, if need be. @param {Resolved} next @param {Resolved} before */
  #take(next, before) {
    const { state, player } = this.around;
    const differ = this.#differing(next, before);
    const samePreset = next.preset === before.preset;
    if (samePreset && differ.length === 0) return;
    const isLive = samePreset && differ.every((setting) => !setting.restart) && (state.phase === 'playing' || state.phase === 'paused');
    if (!isLive) return this.begin(next);
    player.tune(next);
    this.#show(next);
  }

  /** @param {Resolved} resolved */
  #show(resolved) {
    const { state, settings, networks, shown } = this.around;
    const hash = writeHash(fullText(resolved), location.hash);
    if (hash !== location.hash) window.history.replaceState(null, '', hash);
    settings.update(state);
    void networks.show(resolved.text);
    shown();
    this.showLink();
  }
}
