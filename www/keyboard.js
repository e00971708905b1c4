// A key for each control, and the list that explains them. Keys typed into a
// field (but for Escape), pressed with a modifier, or meant for a focused button are left alone.

import { t } from './i18n/index.js';

/** @typedef {'toggle'|'step'|'restart'|'newSeed'|'nextPreset'|'settings'|'share'|'save'|'open'|'data'|'quality'|'judge'|'view'|'wishes'|'language'|'theme'|'close'|'help'} Action */
/** What there is to do; the rest of the keys mean nothing then. @typedef {Partial<Record<Action, () => void>>} Actions */

/** @type {{key: string, action: Action, words: import('./i18n/index.js').Key}[]} */
export const KEYS = [
  { key: ' ', action: 'toggle', words: 'help.play' },
  { key: 's', action: 'step', words: 'help.step' },
  { key: 'r', action: 'restart', words: 'help.restart' },
  { key: 'n', action: 'newSeed', words: 'help.seed' },
  { key: 'p', action: 'nextPreset', words: 'help.preset' },
  { key: 'e', action: 'settings', words: 'help.settings' },
  { key: 'l', action: 'share', words: 'help.share' },
  { key: 'w', action: 'save', words: 'help.save' },
  { key: 'o', action: 'open', words: 'help.open' },
  { key: 'v', action: 'view', words: 'help.view' },
  { key: 'i', action: 'wishes', words: 'help.wishes' },
  { key: 'd', action: 'data', words: 'help.data' },
  { key: 'q', action: 'quality', words: 'help.quality' },
  { key: 'j', action: 'judge', words: 'help.judge' },
  { key: 'g', action: 'language', words: 'help.language' },
  { key: 't', action: 'theme', words: 'help.theme' },
  { key: 'escape', action: 'close', words: 'help.escape' },
  { key: '?', action: 'help', words: 'help.help' },
];

/**
 * What a key press asks for, if it asks for anything.
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, defaultPrevented: boolean, repeat: boolean}} event
 * @param {string} target   the focused element's tag
 * @returns {Action | null}
 */
export function actionFor(event, target) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(target) && event.key !== 'Escape') return null;
  if (event.key === ' ' && /^(BUTTON|A|SUMMARY)$/.test(target)) return null;
  const action = KEYS.find(({ key }) => key === event.key.toLowerCase())?.action ?? null;
  // Holding S steps on; holding any other key does it once.
  return event.repeat && action !== 'step' ? null : action;
}

/** @param {Actions} actions */
export function listenToKeys(actions) {
  addEventListener('keydown', (event) => {
    const target = event.target instanceof Element ? event.target.tagName : '';
    const action = actionFor(event, target);
    const act = action && actions[action];
    // An open dialog closes with its own key, and by itself with Escape.
    if (!act || (document.querySelector('dialog[open]') && action !== 'help')) return;
    event.preventDefault();
    act();
  });
  addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('[data-action]') : null;
    const action = /** @type {Action | null} */ (button?.getAttribute('data-action') ?? null);
    if (action) actions[action]?.();
  });
}

/** The list of keys, as a dialog. @param {Actions} actions */
export function showKeys(actions) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('help'));
  if (dialog.open) return dialog.close();
  const title = document.createElement('h2');
  title.id = 'help-title';
  title.textContent = t('help.title');
  const list = document.createElement('dl');
  for (const { key, words } of KEYS.filter(({ action }) => actions[action])) {
    const name = document.createElement('dt');
    const cap = document.createElement('kbd');
    cap.textContent = key === ' ' ? t('help.space') : key === 'escape' ? 'Esc' : key.toUpperCase();
    name.append(cap);
    const meaning = document.createElement('dd');
    meaning.textContent = t(words);
    list.append(name, meaning);
  }
  const close = document.createElement('button');
  close.type = 'button';
  close.textContent = t('help.close');
  close.addEventListener('click', () => dialog.close());
  const note = document.createElement('p');
  note.textContent = t('help.doctor');
  dialog.replaceChildren(title, list, note, close);
  dialog.showModal();
}
