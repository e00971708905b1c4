// Where somebody's own data comes in: files dropped or chosen are told apart, each refusal is said, and what is good goes
// to the player. The run in progress is left alone until there is a data set to start another one with.

import { dataWords, DataView } from '../views/data.js';
import { number, t } from '../i18n/index.js';
import { Collection, MOST } from './collection.js';
import { OwnFault } from './fault.js';
import { pairOf, readIdx } from './idx.js';
import { kindOf } from './kind.js';
import { greysOf, labelOf } from './pictures.js';
import { WorkerEnded } from '../player.js';

/** @typedef {import('../protocol.js').OwnData} OwnData */
/** @typedef {import('./kind.js').Kind} Kind */
/** What fails is noted, under the file's name where it doesn't say itself. @typedef {(name: string, task: () => Promise<void>) => Promise<void>} Attempt */

/** In one notice, so many names of files with the same fault. */
const NAMED = 3;

export class Desk {
  /** @type {OwnData | null} */
  #own = null;
  #collection = new Collection();
  /** One after the other: what is dropped first is there first. @type {Promise<void>} */
  #turn = Promise.resolve();

  /**
   * @param {object} parts
   * @param {import('../state.js').State} parts.state
   * @param {import('../player.js').Player} parts.player
   * @param {import('../views/notices.js').NoticesView} parts.notices
   * @param {(file: File) => Promise<void>} parts.openRun   a saved run
   * @param {(own: OwnData | null) => void} parts.use   from a new run on
   * @param {(event: string, detail: unknown) => void} parts.tell
   */
  constructor({ state, player, notices, openRun, use, tell }) {
    this.state = state;
    this.player = player;
    this.notices = notices;
    this.openRun = openRun;
    this.use = use;
    this.tell = tell;
    this.view = new DataView({
      take: (files) => this.take(files),
      mnist: () => this.#train(null),
      turn: (turned) => this.#own && this.#train({ ...this.#own, turned }),
      add: (label) => this.#inTurn(() => this.#addDrawing(label)),
      relabel: (k, label) => {
        this.#collection.relabel(k, label);
        this.view.showLabels(this.#collection);
      },
      remove: (k) => {
        this.#collection.remove(k);
        this.view.showCollection(this.#collection);
        this.view.focusItem(k);
      },
      removeAll: () => this.#removeAll(),
      train: () => this.#train(this.#collection.dataSet()),
    });
    addEventListener('beforeunload', (event) => {
      // The browser asks before a drawing is lost.
      if (this.#collection.hasDrawings || !this.view.pad.isEmpty) event.preventDefault();
    });
  }

  toggle() {
    this.view.open(!this.view.isOpen);
  }

  /** What shows, after a change of the data, the settings or the language. */
  update() {
    this.view.showInForce(this.state, this.#own);
  }

  relabel() {
    this.update();
    this.view.showCollection(this.#collection);
  }

  restyle() {
    this.view.pad.repaint();
  }

  /** Files that were dropped or chosen. @param {File[]} files */
  take(files) {
    if (files.length > 0) this.#inTurn(() => this.#take(files));
  }

  /** @param {() => Promise<void>} task */
  #inTurn(task) {
    this.#turn = this.#turn.then(task).catch(reportError);
  }

  /** @param {File[]} files */
  async #take(files) {
    this.notices.dismiss('own *');
    /** @type {OwnFault[]} */
    const faults = [];
    /** @type {Attempt} */
    const tried = async (name, task) => {
      try {
        await task();
      } catch (error) {
        faults.push(error instanceof OwnFault ? error : new OwnFault('unreadable', name, { detail: error instanceof Error ? error.message : String(error) }));
      }
    };
    /** @type {Record<Kind, File[]>} */
    const sorted = { run: [], idx: [], picture: [] };
    for (const file of files) await tried(file.name, async () => void sorted[await kindOf(file)].push(file));
    const [run, ...moreRuns] = sorted.run;
    if (run) await this.openRun(run);
    for (const { name } of moreRuns) faults.push(new OwnFault('oneRun', name));
    await this.#takePair(sorted.idx, tried);
    for (const file of sorted.picture) await tried(file.name, () => this.#addPicture(file));
    if (sorted.picture.length > 0) this.#showCollection();
    this.#report(faults);
  }

  /**
   * @param {File[]} files
   * @param {Attempt} tried
   */
  async #takePair(files, tried) {
    /** @type {import('./idx.js').Half[]} */
    const halves = [];
    for (const file of files) await tried(file.name, async () => void halves.push(await readIdx(file)));
    // Otherwise what is wrong has been found.
    if (halves.length < files.length || halves.length === 0) return;
    await tried(halves.map(({ file }) => file).join(', '), async () => {
      const own = pairOf(halves);
      this.#train(own);
      this.#open();
      const { found, count } = own;
      if (count < found) {
        const words = () => t('data.first', { file: own.name ?? '', found: number(found), count: number(count) });
        this.notices.show('own first', words, { calm: true });
      }
    });
  }

  /** @param {File} file */
  async #addPicture(file) {
    if (this.#collection.isFull) throw new OwnFault('full', file.name, { most: MOST });
    for (const grey of await greysOf(file)) {
      try {
        return this.#collection.add(await this.player.prepare(grey), labelOf(file.name));
      } catch (error) {
        if (error instanceof WorkerEnded) throw new OwnFault('engine', file.name);
      }
    }
    throw new OwnFault('blank', file.name);
  }

  /** Its strokes stay on the pad until they are an image. @param {number} label */
  async #addDrawing(label) {
    this.notices.dismiss('own *');
    const { pad } = this.view;
    if (pad.isEmpty) return;
    const words = t('data.drawing');
    const strokes = pad.strokes;
    try {
      if (this.#collection.isFull) throw new OwnFault('full', words, { most: MOST });
      this.#collection.add(await this.player.prepare(pad.picture()), label, true);
      pad.forget(strokes);
      this.#showCollection();
      this.view.say(t('data.added', { n: number(this.#collection.items.length), label }));
    } catch (error) {
      this.#report([error instanceof OwnFault ? error : new OwnFault(error instanceof WorkerEnded ? 'engine' : 'blank', words)]);
    }
  }

  #showCollection() {
    this.view.showCollection(this.#collection);
    this.#open();
  }

  #open() {
    if (!this.view.isOpen) this.view.open(true);
  }

  #removeAll() {
    const { items } = this.#collection;
    this.#collection.items = [];
    this.view.showCollection(this.#collection);
    this.view.focusItem(0);
    const back = () => {
      this.#collection.items = [...items, ...this.#collection.items];
      this.#showCollection();
    };
    this.notices.show('own removed', () => t('data.removed', { count: number(items.length) }), { calm: true, remedies: [{ key: 'data.bringBack', act: back }] });
  }

  /** @param {OwnData | null} own */
  #train(own) {
    this.#own = own;
    this.use(own);
    this.update();
    this.view.say(dataWords(this.state));
  }

  /** A notice for each fault; files with the same one share it. @param {OwnFault[]} faults */
  #report(faults) {
    /** @type {Map<string, OwnFault[]>} */
    const alike = new Map();
    for (const fault of faults) {
      const key = `own ${fault.word} ${JSON.stringify(fault.facts)}`;
      alike.set(key, [...(alike.get(key) ?? []), fault]);
      this.tell('error', { key: fault.file, value: fault.word, message: fault.message });
    }
    for (const [key, [first, ...others]] of alike) {
      if (!first) continue;
      const names = [first, ...others].map(({ file }) => file);
      const file = () => names.slice(0, NAMED).join(', ') + (names.length > NAMED ? t('data.andMore', { count: number(names.length - NAMED) }) : '');
      this.notices.show(key, () => t(`notice.own.${first.word}`, { ...formatted(first.facts), file: file() }));
    }
  }
}

/** @param {Record<string, string | number>} facts @returns {Record<string, string>} */
const formatted = (facts) => Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, typeof value === 'number' ? number(value) : value]));
