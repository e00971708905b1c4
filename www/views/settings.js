// The settings as controls, all drawn from what the core says of them.

import { dataWords } from './data.js';
import { placeOf, sliderStops } from './slider.js';
import { choiceLabel, groupLabel, presetWords, settingWords, t } from '../i18n/index.js';

/** @typedef {import('../protocol.js').Setting} Setting */
/** @typedef {import('../state.js').State} State */
/** @typedef {{setting: Setting, row: HTMLElement, show: (value: string) => void, forget: () => void, reset: HTMLButtonElement}} Field */

/** How long a slider rests before its value is taken, ms. */
const REST = 200;

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {string} [text]
 */
function make(tag, attributes = {}, text) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export class SettingsView {
  /** @type {Field[]} */
  #fields = [];
  /** Where the data set's name is. @type {HTMLElement | null} */
  dataSet = null;

  /**
   * @param {object} wishes
   * @param {(change: Record<string, string>) => void} wishes.change
   * @param {() => void} wishes.resetAll
   * @param {() => void} wishes.close
   * @param {(on: boolean) => void} wishes.keepGoing
   * @param {(change: Record<string, string>) => void} wishes.preview   of what is still being set
   * @param {HTMLElement} wishes.networks   what the settings of the model build
   */
  constructor(wishes) {
    this.wishes = wishes;
    this.place = /** @type {HTMLElement} */ (document.getElementById('settings'));
    this.preset = /** @type {HTMLSelectElement} */ (document.getElementById('preset'));
    this.badge = /** @type {HTMLElement} */ (document.getElementById('changed'));
    this.preset.addEventListener('change', () => wishes.change({ preset: this.preset.value }));
  }

  /** Draws all anew: once described, and after a change of language. @param {State} state */
  build(state) {
    const { description } = state;
    if (!description) return;
    this.preset.disabled = false;
    this.preset.replaceChildren(...description.presets.map((preset) => {
      const { label, help } = presetWords(preset);
      return make('option', { value: preset.name, title: help }, label);
    }));
    this.#fields = [];
    const header = make('header');
    const resetAll = make('button', { type: 'button' }, t('settings.resetAll'));
    const close = make('button', { type: 'button', class: 'close' }, t('settings.close'));
    resetAll.addEventListener('click', this.wishes.resetAll);
    close.addEventListener('click', this.wishes.close);
    header.append(make('h2', {}, t('settings.label')), resetAll, close);
    const groups = make('div', { class: 'groups' });
    for (const group of description.groups) {
      const box = make('fieldset', { class: 'group' });
      box.append(make('legend', {}, groupLabel(group)));
      if (group.key === 'data' && !state.options.embed) box.append(this.#dataSet());
      for (const setting of description.settings.filter((s) => s.group === group.key)) {
        const field = this.#field(setting);
        this.#fields.push(field);
        box.append(field.row);
      }
      groups.append(box);
      if (group.key === 'model') groups.append(this.wishes.networks);
    }
    groups.append(this.#pageGroup(state));
    // Whoever is setting something goes on: a new engine describes its settings, too.
    const held = this.place.contains(document.activeElement) ? document.activeElement?.id : '';
    this.place.replaceChildren(header, make('p', { class: 'note' }, t('settings.note')), groups);
    if (held) document.getElementById(held)?.focus();
    this.update(state);
  }

  /** What each network minimises: filled in by update(). */
  #formulas() {
    const list = make('dl', { class: 'formulas' });
    for (const network of /** @type {const} */ (['discriminator', 'generator'])) {
      list.append(make('dt', { class: network }, t(`chart.${network}`)), make('dd'));
    }
    return list;
  }

  /** What is trained on, and the way to change it. */
  #dataSet() {
    const row = make('div', { class: 'field' });
    this.dataSet = make('span', { class: 'hint' });
    row.append(make('span', { class: 'name' }, t('settings.dataSet')), make('button', { type: 'button', class: 'other', 'data-action': 'data' }, t('settings.ownData')), this.dataSet);
    return row;
  }

  /** @param {State} state */
  #pageGroup(state) {
    const box = make('fieldset', { class: 'group' });
    const row = make('div', { class: 'field' });
    const input = /** @type {HTMLInputElement} */ (make('input', { type: 'checkbox', id: 'keep-going' }));
    input.checked = state.keepGoing;
    input.addEventListener('change', () => this.wishes.keepGoing(input.checked));
    row.append(make('label', { for: input.id }, t('controls.keepGoing')), input);
    box.append(make('legend', {}, t('settings.page')), row);
    return box;
  }

  /** @param {Setting} setting @returns {Field} */
  #field(setting) {
    const { label, help } = settingWords(setting);
    const id = `setting-${setting.key}`;
    const row = make('div', { class: `field ${setting.kind === 'widths' ? 'wide' : ''}`, 'data-key': setting.key });
    const helpId = `${id}-help`;
    const control = this.#control(setting, id, label);
    const forget = control.forget ?? (() => {});
    for (const input of control.inputs) input.setAttribute('aria-describedby', helpId);
    const reset = /** @type {HTMLButtonElement} */ (make('button', { type: 'button', class: 'reset', hidden: '' }));
    const name = make('label', { for: id }, label);
    if (!setting.restart) name.append(' ', make('span', { class: 'live' }, t('settings.live')));
    row.append(name, ...control.inputs, make('p', { class: 'hint', id: helpId }, help), reset);
    if (setting.key === 'loss') row.append(this.#formulas(), make('p', { class: 'hint' }, t('settings.formulas')));
    reset.addEventListener('click', () => {
      // It is about to go, and the keyboard not with it.
      if (reset.matches(':focus-visible')) control.inputs[0]?.focus();
      forget();
      this.wishes.change({ [setting.key]: reset.value });
    });
    return { setting, row, show: control.show, forget, reset };
  }

  /**
   * @param {Setting} setting
   * @param {string} id
   * @param {string} label
   * @returns {{inputs: HTMLElement[], show: (value: string) => void, forget?: () => void}} `forget`: what it is about to say
   */
  #control(setting, id, label) {
    const { key, kind } = setting;
    const say = (/** @type {string} */ value) => this.wishes.change({ [key]: value });
    if (kind === 'flag') {
      const input = /** @type {HTMLInputElement} */ (make('input', { type: 'checkbox', id }));
      input.addEventListener('change', () => say(String(input.checked)));
      return { inputs: [input], show: (value) => (input.checked = value === 'true') };
    }
    if (kind === 'choice') {
      const select = /** @type {HTMLSelectElement} */ (make('select', { id }));
      for (const choice of setting.choices ?? []) select.append(make('option', { value: choice.value }, choiceLabel(key, choice)));
      select.addEventListener('change', () => say(select.value));
      return { inputs: [select], show: (value) => (select.value = value) };
    }
    const input = /** @type {HTMLInputElement} */ (make('input', { type: 'text', id, autocomplete: 'off', spellcheck: 'false' }));
    if (kind !== 'widths') input.inputMode = kind === 'integer' ? 'numeric' : 'decimal';
    // Not a number field: what can't be read as one is to be reported, not swallowed.
    input.addEventListener('change', () => say(input.value.trim()));
    input.addEventListener('input', () => this.wishes.preview({ [key]: input.value.trim() }));
    const ranged = kind !== 'widths' && key !== 'seed' && setting.min !== undefined && setting.max !== undefined;
    if (!ranged) return { inputs: [input], show: (value) => (input.value = value) };
    const stops = sliderStops(setting);
    const slider = /** @type {HTMLInputElement} */ (make('input', { type: 'range', id: `${id}-slider`, min: '0', max: String(stops.length - 1), 'aria-label': label }));
    const read = () => String(stops[slider.valueAsNumber]);
    slider.addEventListener('input', () => {
      input.value = read();
      slider.setAttribute('aria-valuetext', input.value);
      this.wishes.preview({ [key]: input.value });
    });
    // Keys pressed in quick succession are one change, and the answer to an earlier one moves nothing back.
    let resting = 0;
    slider.addEventListener('change', () => {
      clearTimeout(resting);
      resting = window.setTimeout(() => {
        resting = 0;
        say(read());
      }, REST);
    });
    return {
      inputs: [input, slider],
      show(value) {
        if (resting) return;
        input.value = value;
        slider.valueAsNumber = placeOf(stops, Number(value));
        slider.setAttribute('aria-valuetext', value);
      },
      forget() {
        clearTimeout(resting);
        resting = 0;
      },
    };
  }

  /** What is typed or moved and not taken yet is as if it had never been. @param {State} state */
  takeBack(state) {
    for (const { forget } of this.#fields) forget();
    this.update(state);
  }

  /** @param {State} state */
  update(state) {
    const { description, resolved } = state;
    if (!description || !resolved) return;
    if (this.dataSet) this.dataSet.textContent = dataWords(state);
    this.preset.value = resolved.preset;
    const changes = Object.keys(resolved.changed).length;
    this.badge.textContent = changes > 0 ? String(changes) : '';
    const preset = description.presets.find((p) => p.name === resolved.preset);
    const byKey = new Map(description.settings.map((setting) => [setting.key, setting]));
    /** @param {Setting} setting @returns {boolean} */
    const relevant = ({ when }) => {
      if (!when) return true;
      return when.some(({ key, values }) => {
        const other = byKey.get(key);
        return values.includes(resolved.values[key] ?? '') && (!other || relevant(other));
      });
    };
    for (const { setting, row, show, reset } of this.#fields) {
      const { key } = setting;
      const changed = Object.hasOwn(resolved.changed, key);
      const base = preset?.values[key] ?? setting.default;
      show(resolved.values[key] ?? setting.default);
      row.querySelector('[aria-invalid]')?.removeAttribute('aria-invalid');
      row.hidden = !relevant(setting);
      row.classList.toggle('changed', changed);
      if (key === 'loss') {
        const formulas = description.formulas[resolved.values[key] ?? ''] ?? [];
        row.querySelectorAll('.formulas dd').forEach((place, i) => (place.textContent = formulas[i] ?? ''));
      }
      reset.hidden = !changed;
      reset.value = base;
      const choice = setting.choices?.find((c) => c.value === base);
      const flag = base === 'true' ? t('settings.on') : t('settings.off');
      reset.textContent = t('settings.reset', { value: setting.kind === 'flag' ? flag : choice ? choiceLabel(key, choice) : base });
    }
  }

  /** Marks the control whose value was refused, its text left for mending. @param {string} key */
  refuse(key) {
    document.getElementById(`setting-${key}`)?.setAttribute('aria-invalid', 'true');
  }
}
