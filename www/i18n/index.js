// The page in two languages. Strings may hold {names} to fill in and
// [g|words] or [d|words] to set in the generator's or discriminator's colour.

import { strings as en } from './en.js';
import { core, doctor as zhDoctor, strings as zh } from './zh.js';

/** @typedef {keyof typeof en} Key */
/** @typedef {import('../state.js').Language} Language */
/** @typedef {{label?: string, help?: string}} Words */
/** @typedef {{groups: Record<string, string>, settings: Record<string, Words>, presets: Record<string, Words>, choices: Record<string, Record<string, string>>, layers: Record<string, string>, terms: Record<string, string>}} CoreWords */

/** @type {Record<Language, Record<Key, string>>} */
const LANGUAGES = { en, zh };

/** The core describes its settings in English; other languages bring their own words. @type {Partial<Record<Language, CoreWords>>} */
const CORE = { zh: core };

/** @typedef {{rules: Record<string, {label: string, measure: string, reason: string}>, cures: Record<string, string>}} DoctorWords */
/** @typedef {{label: string, measure: string, reason: string, threshold: number, cures: Record<string, string>}} RuleWords */

/** The same of its doctor's words. @type {Partial<Record<Language, DoctorWords>>} */
const DOCTOR = { zh: zhDoctor };

/** @type {Language} */
let language = 'en';

export const currentLanguage = () => language;

/** BCP 47. */
export const languageTag = () => (language === 'zh' ? 'zh-Hans' : 'en');

/** @param {Language} next */
export function setLanguage(next) {
  language = next;
}

/** @param {readonly string[]} wishes   the browser's languages @returns {Language} */
export function preferredLanguage(wishes) {
  const first = wishes.find((tag) => /^(en|zh)\b/i.test(tag));
  return first && /^zh\b/i.test(first) ? 'zh' : 'en';
}

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return LANGUAGES[language][key].replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const number = (value, options) => new Intl.NumberFormat(languageTag(), options).format(value);

/** A number of which only zeros would be read is said to be less than `least`. @param {number} value @param {number} least @param {Intl.NumberFormatOptions} options */
export const numberOrLess = (value, least, options) => (value !== 0 && Math.abs(value) < least ? `< ${number(least, { maximumSignificantDigits: 1 })}` : number(value, options));

/** @param {import('../protocol.js').Group} group */
export const groupLabel = (group) => CORE[language]?.groups[group.key] ?? group.label;

/** @param {import('../protocol.js').Setting} setting */
export const settingWords = (setting) => ({ label: setting.label, help: setting.help, ...CORE[language]?.settings[setting.key] });

/** @param {import('../protocol.js').Preset} preset */
export const presetWords = (preset) => ({ label: preset.label, help: preset.help, ...CORE[language]?.presets[preset.name] });

/** @param {string} setting @param {{value: string, label: string}} choice */
export const choiceLabel = (setting, choice) => CORE[language]?.choices[setting]?.[choice.value] ?? choice.label;

/** @param {string} id @param {import('../protocol.js').Rule[]} rules @returns {RuleWords} */
export function ruleWords(id, rules) {
  const { label = id, measure = '', reason = '', threshold = 0, cures = [] } = rules.find((rule) => rule.id === id) ?? {};
  const words = DOCTOR[language];
  const named = cures.map((cure) => [cure.id, words?.cures[cure.id] ?? cure.words]);
  return { label, measure, reason, threshold, ...words?.rules[id], cures: Object.fromEntries(named) };
}

/** @param {string} kind */
export const layerKind = (kind) => CORE[language]?.layers[kind] ?? kind;

/** Word by word: most are names that each language keeps. @param {string} detail */
export const layerDetail = (detail) => detail.replace(/[a-z]+/g, (word) => CORE[language]?.terms[word] ?? word);

/**
 * Why a value was refused, from what the core says a setting may be.
 * @param {import('../protocol.js').SettingError} error
 * @param {import('../protocol.js').Description | null} description
 */
export function reasonFor({ key, message }, description) {
  const setting = description?.settings.find((s) => s.key === key);
  if (key === 'preset' && description) return t('expected.choice', { choices: description.presets.map((p) => p.name).join(', ') });
  if (setting?.choices) return t('expected.choice', { choices: setting.choices.map((c) => c.value).join(', ') });
  if (setting?.kind === 'integer' || setting?.kind === 'number' || setting?.kind === 'widths') {
    const { min = 0, max = 0, most = 0 } = setting;
    return t(`expected.${setting.kind}`, { min, max, most });
  }
  const near = /did you mean `([^`]+)`/.exec(message)?.[1];
  if (/^unknown setting/.test(message)) return near ? t('expected.near', { near }) : t('expected.unknown');
  const allowed = /^must be one of (.*)$/.exec(message)?.[1];
  return allowed ? t('expected.choice', { choices: allowed }) : message;
}

/**
 * What the core says of a file's setting, in this language; anything else as it says it.
 * @param {string} said
 * @param {import('../protocol.js').Description | null} description
 */
export function detailOf(said, description) {
  const [, key = '', value = '', why = ''] = /^`([^=`]+)=([^`]*)`: (.*)$/.exec(said) ?? /^unknown setting `([^`]+)`/.exec(said) ?? [];
  if (!key) return said;
  const error = { key, value, message: why || said };
  return t('notice.file.detail', { what: value ? `${key} = ${value}` : key, message: reasonFor(error, description) });
}

/** @param {string} text */
export function rich(text) {
  const fragment = document.createDocumentFragment();
  for (const piece of text.split(/(\[[gd]\|[^\]]*\])/)) {
    const marked = /^\[([gd])\|([^\]]*)\]$/.exec(piece);
    if (!marked) fragment.append(piece);
    else {
      const word = document.createElement('em');
      word.className = marked[1] === 'g' ? 'generator' : 'discriminator';
      word.textContent = marked[2] ?? '';
      fragment.append(word);
    }
  }
  return fragment;
}

/**
 * Fills in every element that names a string: data-t its text, data-t-label its
 * accessible name, data-t-title both its name and its tooltip.
 * @param {ParentNode} root
 */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-t]')) {
    element.replaceChildren(rich(t(/** @type {Key} */ (element.getAttribute('data-t')))));
  }
  for (const element of root.querySelectorAll('[data-t-label]')) {
    element.setAttribute('aria-label', t(/** @type {Key} */ (element.getAttribute('data-t-label'))));
  }
  for (const element of root.querySelectorAll('[data-t-title]')) {
    element.setAttribute('title', t(/** @type {Key} */ (element.getAttribute('data-t-title'))));
  }
}
