// The page's state and its text form: what the address says, what it should
// say, and one object that every view is drawn from.
//
// The query and the hash are read alike. Words of the page itself (embed, lang,
// theme, view, autostart, engine, threads, doctor) are told apart here and checked here; all else are
// settings, passed to the core untouched, which alone knows what they mean.

/** @typedef {import('./protocol.js').EngineChoice} EngineChoice */
/** @typedef {import('./protocol.js').SettingError} SettingError */
/** @typedef {import('./protocol.js').View} View */
/** @typedef {'en'|'zh'} Language */
/** @typedef {'auto'|'light'|'dark'} Theme */

/**
 * @typedef {object} Options
 * @property {boolean} embed
 * @property {Language | null} lang       null: the browser's
 * @property {Theme | null} theme         null: as stored, else auto
 * @property {View} view
 * @property {boolean | null} autostart   null: yes, unless the browser saves data
 * @property {EngineChoice} engine
 * @property {number | null} threads      how many workers may share the CPU engine's steps; null: as the machine has processors
 * @property {boolean} doctor             whether runs are looked after
 */

/** The page's own words and what each may be. @type {Record<keyof Options, Record<string, any>>} */
const WORDS = {
  embed: { 1: true, 0: false, true: true, false: false },
  lang: { en: 'en', zh: 'zh', 'zh-CN': 'zh', 'zh-Hans': 'zh' },
  theme: { auto: 'auto', light: 'light', dark: 'dark' },
  view: { averaged: 'averaged', raw: 'raw', both: 'both' },
  autostart: { 1: true, 0: false, true: true, false: false },
  engine: { auto: 'auto', cpu: 'cpu', gpu: 'gpu' },
  threads: { auto: null, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8 },
  doctor: { on: true, off: false, 1: true, 0: false },
};

/** @returns {Options} */
const defaults = () => ({ embed: false, lang: null, theme: null, view: 'averaged', autostart: null, engine: 'auto', threads: null, doctor: true });

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** @param {string} part @returns {[string, string]} */
function pair(part) {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

/** @param {string} text @returns {string[]} */
const parts = (text) => text.replace(/^[?#]/, '').split('&').filter(Boolean);

/** @param {string} part */
const isWord = (part) => Object.hasOwn(WORDS, pair(part)[0]);

/** What the page's own words in a part mean; undefined: nothing. @param {string} part */
function meaning(part) {
  const [key, raw] = pair(part);
  const allowed = WORDS[/** @type {keyof Options} */ (key)];
  const value = decoded(raw);
  return Object.hasOwn(allowed, value) ? allowed[value] : undefined;
}

/** @param {string} text @returns {string[]} */
const settingsIn = (text) => parts(text).filter((part) => !isWord(part));

/**
 * Whether a hash says what to train. One without any “=” is a place in the page, like #controls.
 * @param {string} hash
 */
export const hasSettings = (hash) => hash.includes('=') && settingsIn(hash).length > 0;

/**
 * What an address says. `mixed`: the settings are from the query, where other sites put things of their own.
 * @typedef {{options: Options, settings: string, mixed: boolean, errors: SettingError[]}} Address
 */

/**
 * Where both speak, the hash has the last word; settings come from the query
 * only if the hash has none, for a hash written by the page is complete.
 * @param {string} search
 * @param {string} hash
 * @returns {Address}
 */
export function readAddress(search, hash) {
  const options = defaults();
  /** @type {SettingError[]} */
  const errors = [];
  for (const part of [...parts(search), ...parts(hash)].filter(isWord)) {
    const [key, raw] = pair(part);
    const value = meaning(part);
    const allowed = Object.keys(WORDS[/** @type {keyof Options} */ (key)]);
    if (value !== undefined) Object.assign(options, { [key]: value });
    else errors.push({ key, value: decoded(raw), message: `must be one of ${allowed.join(', ')}` });
  }
  const mixed = !hasSettings(hash);
  return { options, settings: settingsIn(mixed ? search : hash).join('&'), mixed, errors };
}

/**
 * The hash for these settings; the page's own words in the old hash stay, but for those that mean nothing.
 * @param {string} settings
 * @param {string} oldHash
 */
export function writeHash(settings, oldHash) {
  return '#' + [...parts(settings), ...parts(oldHash).filter((part) => isWord(part) && meaning(part) !== undefined)].join('&');
}

/**
 * The hash after a change of it: words that the change doesn't name stay, and so do the settings where it has none.
 * @param {string} hash
 * @param {string} change   with its mark or without
 */
export function mergeHash(hash, change) {
  const words = parts(change).filter(isWord);
  // One that means nothing takes no other's place.
  const kept = words.filter((part) => meaning(part) !== undefined).reduce((text, part) => without(text, /** @type {keyof Options} */ (pair(part)[0])), hash);
  const settings = settingsIn(hasSettings(change) ? change : hash).join('&');
  return '#' + [settings, ...parts(kept).filter(isWord), ...words].filter(Boolean).join('&');
}

/**
 * Whether an unknown key in the query is another site's (utm_source, fbclid), not one of ours with a slip in it.
 * @param {SettingError} error   the core names a key that is at all like it
 */
export function isForeign({ key, message }) {
  if (!message.startsWith('unknown setting')) return false;
  const near = /did you mean `([^`]+)`/.exec(message)?.[1] ?? '';
  return ![near, ...Object.keys(WORDS)].some((known) => isSlip(key.toLowerCase(), known.toLowerCase()));
}

/** Whether a letter too many, too few, wrong or in its neighbour's place is all that differs. @param {string} a @param {string} b */
function isSlip(a, b) {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return (left.length <= 1 && right.length <= 1) || (left.length === 2 && left === [...right].reverse().join(''));
}

/**
 * The address without one of the page's words, once a person has chosen otherwise.
 * @param {string} text   query or hash, with its mark
 * @param {keyof Options} word
 */
export function without(text, word) {
  const kept = parts(text).filter((part) => pair(part)[0] !== word);
  return kept.length === 0 ? '' : text[0] + kept.join('&');
}

/**
 * A link that shows the same run to someone else, in their language and theme.
 * @param {string} page   address without query and hash
 * @param {string} settings
 * @param {Pick<Options, 'engine' | 'doctor'>} options   what else changes a run
 * @param {View} view
 */
export function shareLink(page, settings, { engine, doctor }, view) {
  const words = (engine === 'auto' ? '' : `&engine=${engine}`) + (doctor ? '' : '&doctor=off');
  return page + withView(writeHash(settings, ''), view) + words;
}

/**
 * The hash with this view, which is only named where it isn't the usual one.
 * @param {string} hash
 * @param {View} view
 */
export function withView(hash, view) {
  const rest = without(hash, 'view');
  return view === 'averaged' ? rest : `${rest || '#'}${rest ? '&' : ''}view=${view}`;
}

/**
 * Settings text with some values changed. Choosing a preset drops the other
 * changes but keeps a seed that somebody chose.
 * @param {{preset: string, changed: Record<string, string>}} from
 * @param {Record<string, string>} change
 */
export function withChange({ preset, changed }, change) {
  const { preset: chosen, ...values } = change;
  const kept = chosen === undefined ? changed : 'seed' in changed ? { seed: changed.seed } : {};
  const all = { preset: chosen ?? preset, ...kept, ...values };
  return Object.entries(all).map(([key, value]) => `${key}=${encodeURIComponent(value ?? '')}`).join('&');
}

/**
 * The settings text that the hash shows: the core's shortest, and always the seed.
 * @param {{text: string, values: Record<string, string>, changed: Record<string, string>}} resolved
 */
export function fullText({ text, values, changed }) {
  return 'seed' in changed || values.seed === undefined ? text : `${text}&seed=${values.seed}`;
}

/**
 * @typedef {object} State
 * @property {Options} options
 * @property {import('./protocol.js').Description | null} description
 * @property {import('./protocol.js').Resolved | null} resolved
 * @property {View} view      whose digits a person wants to see
 * @property {boolean} wishes   what the discriminator wants lies over the grid
 * @property {'loading'|'paused'|'playing'|'failed'} phase
 * @property {boolean} wanted     a person wants it to play, whatever it does just now
 * @property {boolean} away       nobody can see it
 * @property {boolean} offScreen  for it is scrolled away
 * @property {boolean} keepGoing  train on when nobody can
 * @property {{stage: 'engine'|'data'|'start'|'more', loaded: number, total: number} | null} loading
 * @property {{name: string | null, found: number, count: number} | null} data   somebody's own, null: MNIST
 * @property {number} run
 * @property {number} step
 * @property {number} images
 * @property {number} rate
 * @property {number} elapsed
 * @property {'cpu'|'gpu'|null} engine
 * @property {string} adapter
 * @property {number} threads        workers that share the CPU engine's steps
 * @property {import('./protocol.js').EngineReason | null} reason
 * @property {number} rows
 * @property {number} columns
 */

/** Whether the generator has a moving average beside it. @param {Pick<State, 'resolved'>} state */
export const averages = ({ resolved }) => Number(resolved?.values.average) > 0;

/** The view that can be had: without an average there is one generator, which the grid always shows. @param {Pick<State, 'resolved'|'view'>} state */
export const shownView = (state) => (averages(state) ? state.view : 'averaged');

/** Whether the discriminator's opinion is a score, not a probability. @param {State} state */
export const showsScores = ({ description, resolved }) => description?.scores.includes(resolved?.values.loss ?? '') ?? false;

/** @param {Options} options @returns {State} */
export const initialState = (options) => ({
  options,
  description: null,
  resolved: null,
  view: options.view,
  wishes: false,
  phase: 'loading',
  wanted: true,
  away: false,
  offScreen: false,
  keepGoing: false,
  loading: null,
  data: null,
  run: 0,
  step: 0,
  images: 0,
  rate: 0,
  elapsed: 0,
  engine: null,
  adapter: '',
  threads: 1,
  reason: null,
  rows: 8,
  columns: 10,
});
