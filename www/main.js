// The page, put together: the address gives settings, the player trains them,
// the views show what comes of it.

import { checkpointName, download, FileError, listenToFiles, MOST_MEGABYTES, pickFile, readFile } from './checkpoints.js';
import { Clinic, REAL } from './clinic/clinic.js';
import { Doctor } from './doctor.js';
import { isEmbedded, listenToParent, watchSight } from './embed.js';
import { History } from './history.js';
import { currentLanguage, languageTag, preferredLanguage, reasonFor, setLanguage, t, translate } from './i18n/index.js';
import { listenToKeys, showKeys } from './keyboard.js';
import { Desk } from './own/desk.js';
import { Player, WorkerEnded } from './player.js';
import { publish } from './probe.js';
import { COUNT, Quality } from './quality.js';
import { REPORTED, Reporter } from './report.js';
import { averages, fullText, initialState, readAddress, shareLink, showsScores, withChange, without, withView, writeHash } from './state.js';
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
/** @typedef {import('./protocol.js').Resolved} Resolved */
/** @typedef {import('./protocol.js').SettingError} SettingError */

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
  change,
  resetAll,
  preview,
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
});
const tell = publish(state, player);

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
    const { step, vitals, preference, share } = moment;
    const { shares, agreement, certainty, diversity, within } = moment.reading;
    if (diversity !== null) player.read(run, { step, vitals, samples: { shares, agreement, certainty, diversity, within }, preference });
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
const doctor = new Doctor({ state, player, view: alarms, notices, change, tell });

// Settings: from wherever they come, the core says what they mean.

/** @param {SettingError[]} errors @param {'notice.setting'|'notice.option'} key */
function report(errors, key) {
  for (const error of errors) {
    notices.show(`${key} ${error.key}`, () => t(key, { ...error, message: reasonFor(error, state.description) }));
    tell('error', { ...error });
  }
}

/** @type {Promise<void>} */
let settled = Promise.resolve();

/** One after the other, so that none starts from what another is about to change. @param {() => Promise<void>} task */
function inTurn(task) {
  return (settled = settled.then(task).catch((error) => {
    // That the worker ended has been told already.
    if (!(error instanceof WorkerEnded)) throw error;
  }));
}

/** From the address or the parent: what is wrong is left out, and said. @param {string} text */
function load(text) {
  inTurn(async () => {
    notices.dismiss('notice.setting *');
    const resolved = await player.resolve(text);
    report(resolved.errors, 'notice.setting');
    begin(resolved);
  });
}

/** From a control: what is wrong changes nothing. @param {Record<string, string>} values */
function change(values) {
  return inTurn(async () => {
    const { resolved } = state;
    if (!resolved) return;
    const next = await player.resolve(withChange(resolved, values));
    notices.dismiss('notice.setting *');
    settings.update(state);
    void networks.show(resolved.text);
    if (next.errors.length === 0) return take(next, resolved);
    report(next.errors, 'notice.setting');
    for (const { key } of next.errors) settings.refuse(key);
  });
}

/** While a control moves, the networks show where it leads. @param {Record<string, string>} values */
function preview(values) {
  if (state.resolved) void networks.show(withChange(state.resolved, values));
}

/** By a new run, if need be. @param {Resolved} next @param {Resolved} before */
function take(next, before) {
  const differ = state.description?.settings.filter(({ key }) => next.values[key] !== before.values[key]) ?? [];
  const samePreset = next.preset === before.preset;
  if (samePreset && differ.length === 0) return;
  const isLive = samePreset && differ.every((setting) => !setting.restart) && (state.phase === 'playing' || state.phase === 'paused');
  if (!isLive) return begin(next);
  player.tune(next);
  showSettings(next);
}

function resetAll() {
  if (state.resolved) change({ preset: state.resolved.preset });
}

/** @param {Resolved} resolved @param {Uint8Array | null} checkpoint */
function begin(resolved, checkpoint = null) {
  player.start(resolved, checkpoint);
  showSettings(resolved);
}

/** @param {Resolved} resolved */
function showSettings(resolved) {
  const hash = writeHash(fullText(resolved), location.hash);
  if (hash !== location.hash) window.history.replaceState(null, '', hash);
  settings.update(state);
  void networks.show(resolved.text);
  desk?.update();
  showLink();
}

function showLink() {
  const open = /** @type {HTMLAnchorElement} */ (document.getElementById('open'));
  open.href = link();
}

const link = () => {
  const page = location.origin + location.pathname;
  return state.resolved ? shareLink(page, fullText(state.resolved), state.options.engine, state.view) : page;
};

// What a person can do.

/** @param {import('./protocol.js').View} chosen */
function view(chosen) {
  window.history.replaceState(null, '', location.pathname + without(location.search, 'view') + withView(location.hash, chosen));
  player.show(chosen);
  showLink();
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
    await navigator.clipboard.writeText(link());
    button.textContent = t('controls.copied');
    setTimeout(() => (button.textContent = t('controls.share')), 1800);
  } catch {
    notices.show('copy', () => t('notice.copyFailed'), { calm: true });
  }
}

async function save() {
  const { phase, resolved } = state;
  if (!resolved || (phase !== 'playing' && phase !== 'paused')) return;
  try {
    const { step, file } = await player.save();
    download(checkpointName(resolved.preset, step), file);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    notices.show('file', () => t('notice.saveFailed', { message }));
  }
}

/** Goes on from a saved run; a file that is none changes nothing. @param {File} file */
async function openFile(file) {
  notices.dismiss('file');
  try {
    const checkpoint = await readFile(file);
    begin(await player.check(checkpoint), checkpoint);
  } catch (error) {
    // That has been told already, and isn't the file's fault.
    if (error instanceof WorkerEnded) return;
    const fault = error instanceof FileError ? error.fault : 'unreadable';
    const { message } = /** @type {Error} */ (error);
    notices.show('file', () => t(`notice.file.${fault}`, { file: file.name, detail: message, most: MOST_MEGABYTES }));
    tell('error', { key: file.name, value: fault, message });
  }
}

/** From a new run on. @param {import('./protocol.js').OwnData | null} own */
function use(own) {
  player.useData(own);
  player.restart();
  // What is wrong with MNIST's files matters only to a run on them; a fetch that has failed waits to be told to go on.
  if (own) notices.dismiss('data');
  else player.retryData();
}

/** Nothing of one's own in somebody else's page. */
const desk = state.options.embed ? null : new Desk({ state, player, notices, openRun: openFile, use, tell });

/** Loaded when it is first opened. @type {Promise<ReturnType<typeof import('./fooling/section.js').fooling>> | null} */
let judge = null;

async function toggleJudge() {
  const place = /** @type {HTMLElement} */ (document.getElementById('fooling'));
  const button = /** @type {HTMLElement} */ (document.getElementById('judge-toggle'));
  const open = place.hidden;
  place.hidden = !open;
  button.setAttribute('aria-expanded', String(open));
  if (!open) return button.focus();
  try {
    judge ??= import('./fooling/section.js').then(({ fooling }) => fooling(player.stage.data, () => void toggleJudge()));
    await judge;
    place.scrollIntoView({ block: 'nearest' });
  } catch (error) {
    judge = null;
    place.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    notices.show('judge', () => t('fooling.failed', { message: error instanceof Error ? error.message : String(error) }));
  }
}

/** @param {'lang'|'theme'} word @param {string} value */
function choose(word, value) {
  remember(word, value);
  window.history.replaceState(null, '', location.pathname + without(location.search, word) + without(location.hash, word));
}

/** @type {import('./keyboard.js').Actions} */
const actions = {
  toggle: () => player.toggle(),
  step: () => player.step(),
  restart: () => player.restart(),
  newSeed: () => change({ seed: String(1 + (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % SEEDS) }),
  nextPreset() {
    const names = state.description?.presets.map((preset) => preset.name) ?? [];
    const next = names[(names.indexOf(state.resolved?.preset ?? '') + 1) % names.length];
    if (next) change({ preset: next });
  },
  settings: () => toggleSettings(),
  share: () => void share(),
  // A file dropped on someone else's page is theirs to take.
  ...(state.options.embed ? {} : { save: () => void save(), open: pickFile, data: () => desk?.toggle(), wishes: () => player.wish(!state.wishes), judge: () => void toggleJudge() }),
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
    setLanguage(next);
    choose('lang', next);
    relabel();
  },
  theme() {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    choose('theme', theme);
    applyTheme(theme);
    restyle();
  },
  view() {
    if (averages(state)) view(VIEWS[(VIEWS.indexOf(state.view) + 1) % VIEWS.length] ?? 'averaged');
  },
  help: () => showKeys(actions),
};
listenToKeys(actions);
if (desk) listenToFiles((file) => void openFile(file), (files) => desk.take(files));

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
  void judge?.then(({ view }) => view.build());
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
  // What a cure has changed in the engine, the page takes over.
  if (report.rescue || report.back !== null) inTurn(async () => {
    const resolved = await player.resolve(report.text);
    if (resolved.text === state.resolved?.text) return;
    state.resolved = resolved;
    showSettings(resolved);
  });
  doctor.hear(report);
});
player.addEventListener('described', () => settings.build(state));
player.addEventListener('dataFailed', (event) => {
  const { file, fault, detail } = /** @type {CustomEvent} */ (event).detail;
  const key = /** @type {import('./i18n/index.js').Key} */ (`notice.data.${fault}`);
  notices.show('data', () => t(key, { file, detail }), { remedies: [{ key: 'notice.retry', act: () => player.retryData() }] });
  tell('error', { key: file, value: fault, message: detail });
});
player.addEventListener('gpuFailed', (event) => {
  const message = /** @type {CustomEvent<string>} */ (event).detail;
  // After the restart that follows: a new run clears the notices of the old.
  queueMicrotask(() => notices.show('gpu', () => t('notice.gpuFailed', { message }), { calm: true }));
});
player.addEventListener('failed', (event) => {
  const { fault, message } = /** @type {CustomEvent} */ (event).detail;
  const key = fault === 'load' ? 'notice.load' : fault === 'settings' ? 'notice.settingsFailed' : 'notice.crash';
  /** @type {import('./views/notices.js').Remedy[]} */
  const remedies = [{ key: 'notice.restart', act: revive }];
  if (state.engine === 'gpu') remedies.push({ key: 'notice.onCpu', act: () => player.restartOnCpu() });
  notices.show('run failed', () => t(key, { message }), { remedies });
});

/** After the engine itself failed to load there are no settings yet to restart. */
function revive() {
  if (state.resolved) return player.restart();
  player.open();
  load(address.settings);
}

player.addEventListener('engine', () => {
  const { reason, options } = state;
  if (options.engine === 'gpu' && state.engine === 'cpu' && reason && reason !== 'gpu-failed') {
    notices.show('gpu', () => t('notice.noGpu', { reason: t(`reason.${reason}`) }), { calm: true });
  }
});

let opened = false;
/** What a page that isn't open yet will open with. */
let waiting = address.settings;

/** @param {string} text */
function loadWhenOpen(text) {
  if (opened) load(text);
  else waiting = text;
}

onSystemTheme(restyle);
addEventListener('hashchange', () => {
  notices.dismiss('notice.option *');
  const next = readAddress(location.search, location.hash);
  report(next.errors, 'notice.option');
  state.options.engine = next.options.engine;
  player.show(next.options.view);
  loadWhenOpen(next.settings);
});
listenToParent(
  (command) => {
    if (command.command === 'set') loadWhenOpen(command.settings);
    else player[command.command]();
  },
  (message) => {
    notices.show('message', () => t('notice.message', { message }));
    tell('error', { key: 'message', value: '', message });
  },
);

// By default where there is room for it.
openQuality(!state.options.embed && (recall('quality') ?? (matchMedia('(min-width: 48rem)').matches ? 'open' : 'closed')) === 'open');
relabel();
report(address.errors, 'notice.option');
watchSight((hidden, offScreen) => {
  player.setAway(offScreen || hidden, offScreen);
  // An embed below the fold costs nothing until it is scrolled to.
  if (opened || (isEmbedded() && offScreen)) return;
  opened = true;
  player.open();
  load(waiting);
});
