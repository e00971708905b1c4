// The page, put together: the address gives settings, the player trains them,
// the views show what comes of it.

import { listenToFiles, pickFile } from './checkpoints.js';
import { Clinic, REAL } from './clinic/clinic.js';
import { Doctor } from './doctor.js';
import { isEmbedded, listenToParent, watchSight } from './embed.js';
import { closePanel, keepFocus } from './focus.js';
import { Door } from './fooling/door.js';
import { History } from './history.js';
import { currentLanguage, languageTag, preferredLanguage, setLanguage, t, translate } from './i18n/index.js';
import { listenToKeys, showKeys } from './keyboard.js';
import { DEAR, LostRun } from './lost.js';
import { listenToMishaps } from './mishaps.js';
import { Desk } from './own/desk.js';
import { Player } from './player.js';
import { publish } from './probe.js';
import { COUNT, Quality } from './quality.js';
import { REPORTED, Reporter } from './report.js';
import { SavedRuns } from './saved.js';
import { averages, hasSettings, initialState, mergeHash, readAddress, showsScores, without, withView } from './state.js';
import { Steering } from './steering.js';
import { recall, remember } from './storage.js';
import { AlarmsView } from './views/alarms.js';
import { ChartsView } from './views/charts.js';
import { GridView } from './views/grid.js';
import { MetersView } from './views/meters.js';
import { NetworksView } from './views/networks.js';
import { NoticesView } from './views/notices.js';
import { ReadoutsView } from './views/readouts.js';
import { ReportView } from './views/report.js';
import { SettingsView } from './views/settings.js';
import { StatusView } from './views/status.js';
import { WishesView } from './views/wishes.js';
import { applyTheme, look, onSystemTheme } from './views/theme.js';

/** @typedef {import('./state.js').Theme} Theme */

const THEMES = /** @type {const} */ (['auto', 'light', 'dark']);
const VIEWS = /** @type {const} */ (['averaged', 'raw', 'both']);
/** Seeds that people can read to each other. */
const SEEDS = 1_000_000;

const address = readAddress(location.search, location.hash);
const state = initialState(address.options);
const { connection } = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
state.wanted = state.options.autostart ?? !connection?.saveData;
document.body.classList.toggle('embed', state.options.embed);

let history = new History();
const storedTheme = THEMES.find((theme) => theme === recall('theme'));
let theme = state.options.theme ?? storedTheme ?? 'auto';
applyTheme(theme);
const storedLanguage = recall('lang');
setLanguage(state.options.lang ?? (storedLanguage === 'en' || storedLanguage === 'zh' ? storedLanguage : preferredLanguage(navigator.languages)));

const grid = new GridView(view);
const wishes = new WishesView();
const status = new StatusView();
const readouts = new ReadoutsView();
const notices = new NoticesView();
const alarms = new AlarmsView();
const charts = new ChartsView(() => history);
const networks = new NetworksView((text) => player.networks(text));
const settings = new SettingsView({
  change: (values) => void steering.change(values),
  resetAll: () => steering.resetAll(),
  preview: (values) => steering.preview(values),
  close: toggleSettings,
  keepGoing: (on) => player.setKeepGoing(on),
  networks: networks.element,
});

const mnist = new URL('data/mnist/', document.baseURI).href;
const player = new Player(state, {
  spawn: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  canvases: () => grid.newCanvases(),
  look,
  data: mnist,
  isDear: () => !state.options.embed && state.step >= DEAR && history.brokenAt === null,
});
const tell = publish(state, player);
const steering = new Steering({ state, player, notices, settings, networks, tell, shown: () => desk?.update() }, address);

// What a judge reads.

const clinic = new Clinic(mnist, REAL.meters);
const meters = new MetersView(() => quality.resume());
const reports = new ReportView({ start: () => void reporter.start(), cancel: () => reporter.cancel(), count: REPORTED });
const reporter = new Reporter({ state, player, clinic: () => new Clinic(mnist, REAL.report), view: reports });
const quality = new Quality({
  state, player, clinic,
  looked: () => seesQuality(),
  cared: () => state.options.doctor && !state.data,
  told(moment, run) {
    const { step, vitals, preference, copies, share } = moment;
    const { shares, agreement, certainty, diversity, within } = moment.reading;
    if (diversity !== null) player.read(run, { step, vitals, samples: { shares, agreement, certainty, diversity, within }, preference, copies });
    if (seesQuality()) meters.show(moment, COUNT, state.data !== null);
    tell('reading', { step, agreement, preference, fd: moment.distance.fd, share });
  },
  failed: (message) => meters.say(() => t('quality.failed', { message }), true),
});

const seesQuality = () => !state.options.embed && !(/** @type {HTMLElement} */ (document.getElementById('quality-body')).hidden);

/** @param {boolean} open */
function openQuality(open) {
  /** @type {HTMLElement} */ (document.getElementById('quality-body')).hidden = !open;
  const button = /** @type {HTMLElement} */ (document.getElementById('quality-toggle'));
  button.setAttribute('aria-expanded', String(open));
  button.textContent = t(open ? 'quality.hide' : 'quality.show');
  if (open) meters.restyle();
  quality.update();
}
const doctor = new Doctor({ state, player, view: alarms, notices, change: (values) => steering.change(values), tell });

// What a person can do.

const saved = new SavedRuns({ state, player, notices, begin: (resolved, checkpoint) => steering.begin(resolved, checkpoint), tell });
const lost = new LostRun({ state, player, notices, begin: (resolved, checkpoint) => steering.begin(resolved, checkpoint) });
const fooling = new Door(notices, mnist);

/** @param {import('./protocol.js').View} chosen */
function view(chosen) {
  window.history.replaceState(null, '', location.pathname + without(location.search, 'view') + withView(location.hash, chosen));
  player.show(chosen);
  steering.showLink();
}

function toggleSettings() {
  const open = document.body.classList.toggle('settings-open');
  const place = /** @type {HTMLElement} */ (document.getElementById('settings'));
  const button = /** @type {HTMLElement} */ (document.getElementById('settings-toggle'));
  place.hidden = !open;
  button.setAttribute('aria-expanded', String(open));
  if (open) place.scrollIntoView({ block: 'nearest' });
  else button.focus();
}

async function share() {
  const button = /** @type {HTMLElement} */ (document.querySelector('[data-action="share"]'));
  try {
    await navigator.clipboard.writeText(steering.link);
    button.textContent = t('controls.copied');
    setTimeout(() => (button.textContent = t('controls.share')), 1800);
  } catch {
    notices.show('copy', () => t('notice.copyFailed'), { calm: true });
  }
}

/** From a new run on. @param {import('./protocol.js').OwnData | null} own */
function use(own) {
  lost.forget();
  player.useData(own);
  player.restart();
  // What is wrong with MNIST's files matters only to a run on them; a fetch that has failed waits to be told to go on.
  if (own) notices.dismiss('data');
  else player.retryData();
}

/** Nothing of one's own in somebody else's page. */
const desk = state.options.embed ? null : new Desk({ state, player, notices, openRun: (file) => saved.open(file), use, tell });

/** What is being typed is taken back, not taken over. */
function leaveSettings() {
  settings.takeBack(state);
  steering.preview({});
  toggleSettings();
}

/** @param {'lang'|'theme'} word @param {string} value */
function choose(word, value) {
  remember(word, value);
  window.history.replaceState(null, '', location.pathname + without(location.search, word) + without(location.hash, word));
}

/** @param {import('./state.js').Language} next */
function speak(next) {
  setLanguage(next);
  keepFocus(document, relabel);
}

/** @param {Theme} next */
function dress(next) {
  theme = next;
  applyTheme(theme);
  restyle();
}

/** What the address of the open page has become: the page's own words count as the settings do. @param {string} hash */
function follow(hash) {
  if (hash !== location.hash) window.history.replaceState(null, '', hash);
  const next = readAddress(location.search, hash);
  const { options } = state;
  const { lang, theme: wanted, view: chosen, autostart, engine, threads, doctor } = next.options;
  notices.dismiss('notice.option *');
  if (lang && lang !== currentLanguage()) speak(lang);
  if (wanted && wanted !== theme) dress(wanted);
  if (chosen !== state.view) player.show(chosen);
  if (autostart !== null && autostart !== options.autostart) player[autostart ? 'play' : 'pause']();
  const anew = engine !== options.engine || (threads !== options.threads && state.engine === 'cpu') || doctor !== options.doctor;
  Object.assign(options, { autostart, engine, threads, doctor });
  steering.report(next.errors, 'notice.option');
  steering.load(next, anew);
}

/** @type {import('./keyboard.js').Actions} */
const actions = {
  toggle: () => player.toggle(),
  step: () => player.step(),
  restart: () => player.restart(),
  newSeed: () => void steering.change({ seed: String(1 + (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % SEEDS) }),
  nextPreset() {
    const names = state.description?.presets.map((preset) => preset.name) ?? [];
    const next = names[(names.indexOf(state.resolved?.preset ?? '') + 1) % names.length];
    if (next) void steering.change({ preset: next });
  },
  settings: () => toggleSettings(),
  share: () => void share(),
  // A file dropped on someone else's page is theirs to take.
  ...(state.options.embed ? {} : { save: () => void saved.save(), open: pickFile, data: () => desk?.toggle(), wishes: () => player.wish(!state.wishes), judge: () => void fooling.toggle() }),
  ...(state.options.embed ? {} : {
    quality() {
      const open = !seesQuality();
      remember('quality', open ? 'open' : 'closed');
      openQuality(open);
      if (open) document.getElementById('quality')?.scrollIntoView({ block: 'nearest' });
    },
  }),
  language() {
    const next = currentLanguage() === 'en' ? 'zh' : 'en';
    choose('lang', next);
    speak(next);
  },
  theme() {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    choose('theme', next);
    dress(next);
  },
  view() {
    if (averages(state)) view(VIEWS[(VIEWS.indexOf(state.view) + 1) % VIEWS.length] ?? 'averaged');
  },
  close: () => closePanel({ settings: leaveSettings, data: () => desk?.toggle(), fooling: () => void fooling.toggle() }),
  help: () => showKeys(actions),
};
listenToKeys(actions);
if (desk) listenToFiles((file) => void saved.open(file), (files) => desk.take(files));

// What shows it.

function update() {
  document.body.classList.toggle('wanted', state.wanted);
  const word = t(state.wanted ? 'controls.pause' : 'controls.play');
  const place = /** @type {HTMLElement} */ (document.getElementById('play-word'));
  if (place.textContent !== word) place.textContent = word;
  for (const id of ['step', 'restart', 'seed', 'save']) {
    const idle = id === 'step' || id === 'save' ? state.phase === 'loading' || state.phase === 'failed' : !state.resolved;
    /** @type {HTMLButtonElement} */ (document.getElementById(id)).disabled = idle;
  }
  grid.update(state);
  wishes.update(state);
  readouts.update(state);
  quality.update();
  reports.allow(state.phase === 'playing' || state.phase === 'paused');
  status.update(state, history.latest);
}

function restyle() {
  const button = /** @type {HTMLElement} */ (document.getElementById('theme'));
  button.textContent = t(`tools.theme.${theme}`);
  charts.restyle();
  meters.restyle();
  wishes.restyle();
  desk?.restyle();
  player.look();
}

function relabel() {
  document.documentElement.lang = languageTag();
  translate(document);
  settings.build(state);
  networks.build();
  wishes.relabel();
  fooling.relabel();
  desk?.relabel();
  notices.relabel();
  reports.relabel();
  openQuality(seesQuality());
  alarms.relabel();
  restyle();
  update();
}

player.addEventListener('change', update);
player.addEventListener('started', () => {
  history = new History();
  wishes.clear();
  notices.dismiss('run *');
  doctor.start();
  charts.start(showsScores(state));
  settings.update(state);
  meters.start();
  reporter.cancel();
  reports.show(null);
  quality.start();
});
player.addEventListener('progress', (event) => {
  const before = history.brokenAt;
  history.add(/** @type {CustomEvent<Float32Array>} */ (event).detail);
  const { brokenAt } = history;
  if (before === null && brokenAt !== null && !state.options.doctor) {
    notices.show('run blown up', () => t('notice.notFinite', { step: brokenAt }), { remedies: [{ key: 'notice.restart', act: () => player.restart() }] });
  }
  charts.update();
});
player.addEventListener('wants', (event) => wishes.show(/** @type {CustomEvent} */ (event).detail));
player.addEventListener('paused', () => charts.draw());
player.addEventListener('diagnosis', (event) => {
  const report = /** @type {CustomEvent<import('./doctor.js').Report>} */ (event).detail;
  if (report.back !== null) {
    history.rewind(report.back);
    charts.draw();
    quality.forget();
  }
  if (report.rescue || report.back !== null) steering.follow(report.text);
  doctor.hear(report);
});
player.addEventListener('described', () => settings.build(state));
listenToMishaps({ state, player, notices, tell, revive: () => steering.revive() });

onSystemTheme(restyle);
// A link is complete; anything less changes what is there.
addEventListener('hashchange', ({ oldURL }) => follow(hasSettings(location.hash) ? location.hash : mergeHash(new URL(oldURL).hash, location.hash)));
/** @type {HTMLElement} */ (document.querySelector('.skip')).addEventListener('click', (event) => {
  event.preventDefault();
  document.getElementById('controls')?.focus();
});
listenToParent(
  (command) => {
    if (command.command === 'set') follow(mergeHash(location.hash, command.settings));
    else player[command.command]();
  },
  (refusal) => {
    const message = () => t(`message.${refusal.part}`, refusal);
    notices.show('message', () => t('notice.message', { message: message() }));
    tell('error', { key: 'message', value: refusal.command, message: message() });
  },
);

// By default where there is room for it.
openQuality(!state.options.embed && (recall('quality') ?? (matchMedia('(min-width: 48rem)').matches ? 'open' : 'closed')) === 'open');
relabel();
steering.report(address.errors, 'notice.option');
watchSight((hidden, offScreen) => {
  player.setAway(offScreen || hidden, offScreen);
  // An embed below the fold costs nothing until it is scrolled to.
  if (!isEmbedded() || !offScreen) steering.open();
});
