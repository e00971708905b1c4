// The worker: owns the engine, the data and the run in progress. Speaks the
// vocabulary of protocol.js and keeps no settings of its own.

import { chooseEngine } from './adapter.js';
import { Crew, usualCount } from './crew/crew.js';
import { Supply } from './data.js';
import { Forge, description, networksOf, openEngine, prepare, resolved, settingsOf, shards } from './engine.js';
import { OwnSupply } from './own/supply.js';
import { CELL, Painter } from './paint.js';
import { Run } from './run.js';

/** @typedef {import('./protocol.js').ToWorker} ToWorker */
/** @typedef {import('./protocol.js').FromWorker} FromWorker */
/** @typedef {Extract<ToWorker, {type: 'start'}>} StartOrder */

/** A run that a new one ends is kept in memory up to so many bytes. */
const MOST_KEPT = 128e6;

/** @type {Promise<unknown> | null} */
let opened = null;
/** @type {Supply | null} */
let supply = null;
/** What comes instead of MNIST. @type {OwnSupply | null} */
let own = null;
/** @type {Run | null} */
let run = null;
let newest = 0;
/** Workers on their way to the newest run. @type {Crew | null} */
let joining = null;
/** Images that are being gathered for these questions are still wanted. @type {Set<number>} */
const wanted = new Set();
/** The order being carried out: a change of mind meanwhile is noted here. @type {StartOrder | null} */
let pending = null;

/** @param {FromWorker} message @param {Transferable[]} transfer */
const post = (message, transfer = []) => self.postMessage(message, { transfer });

/** @param {unknown} error */
const said = (error) => (error instanceof Error ? error.message : String(error));

/** @param {Extract<ToWorker, {type: 'open'}>} message */
async function open({ data }) {
  post({ type: 'loading', stage: 'engine', loaded: 0, total: 0 });
  supply = new Supply(data, {
    progress: (chunk, loaded, total) => post({ type: 'loading', stage: chunk === 0 ? 'data' : 'more', loaded, total }),
    failed: ({ file, fault, detail }) => post({ type: 'dataFailed', file, fault, detail }),
  });
  void supply.chunk(0);
  opened = openEngine();
  try {
    await opened;
    post({ type: 'described', description: description() });
  } catch (error) {
    post({ type: 'failed', run: 0, fault: 'load', message: said(error) });
  }
}

/** @param {StartOrder} order */
async function start(order) {
  newest = order.run;
  pending = order;
  joining?.end();
  joining = null;
  const source = own ?? supply;
  const before = run;
  run = null;
  if (before && order.keep) await keep(before);
  await before?.destroy();
  await opened;
  const choice = await chooseEngine(order.engine);
  if (newest !== order.run || !source) return;
  post({ type: 'loading', stage: 'start', loaded: 0, total: 0 });
  const made = await forgeFor(order, choice.engine, source instanceof OwnSupply ? source.own.count : undefined);
  if (!made) return;
  const { forge, crew } = made;
  if (newest !== order.run) {
    crew?.end();
    return forge.destroy();
  }
  const rows = forge.rows();
  const columns = forge.columns();
  size(order.raw, { rows, columns }, order.scale);
  let painters = null;
  if (choice.engine === 'cpu') {
    size(order.canvas, { rows, columns }, order.scale);
    painters = { averaged: new Painter(order.canvas), raw: new Painter(order.raw) };
  }
  const { look, view, raw, doctor, wishes } = order;
  const mine = new Run({ id: order.run, forge, crew, supply: source, painters, raw, look, view, doctor, wishes, post });
  run = mine;
  post({ type: 'started', run: order.run, engine: choice.engine, adapter: choice.name || forge.adapter(), threads: crew?.count ?? 1, reason: choice.reason, rows, columns });
  try {
    await mine.open();
    if (run !== mine) return;
    pending = null;
    if (order.play) mine.play();
    else mine.pause();
  } catch (error) {
    // A GPU that can't do its first step or picture is no GPU for us.
    post({ type: 'failed', run: order.run, fault: choice.engine === 'gpu' ? 'gpu' : 'crash', message: said(error) });
  }
}

/**
 * @param {StartOrder} order
 * @param {'cpu'|'gpu'} engine
 * @param {number} [images]   in the data set, if it isn't MNIST
 */
async function forgeFor(order, engine, images) {
  try {
    // What no network can be built of is no fault of a GPU.
    networksOf(order.text);
  } catch (error) {
    post({ type: 'failed', run: order.run, fault: 'settings', message: said(error) });
    return null;
  }
  try {
    if (engine === 'gpu') size(order.canvas, description().grid, order.scale);
    const made = engine === 'cpu' ? await onCpu(order, images) : { forge: await Forge.gpu(order.text, order.canvas, images, shaders(order.run)), crew: null };
    if (!made) return null;
    if (joining === made.crew) joining = null;
    try {
      if (order.checkpoint) made.forge.load(order.checkpoint);
    } catch (error) {
      made.crew?.end();
      throw error;
    }
    return made;
  } catch (error) {
    post({ type: 'failed', run: order.run, fault: engine === 'gpu' ? 'gpu' : 'settings', message: said(error) });
    return null;
  }
}

/**
 * By as many workers as may share its steps, or by this one alone; null once another run is wanted.
 * @param {StartOrder} order
 * @param {number} [images]
 */
async function onCpu({ run: of, text, threads }, images) {
  const count = self.Worker ? shards(text, threads ?? usualCount(navigator), threads === null) : 1;
  if (count > 1) {
    const forge = Forge.shard(text, images, 0, count);
    try {
      const crew = (joining = Crew.of(forge, count));
      await crew.ready(text, images);
      return { forge, crew };
    } catch (error) {
      forge.free();
      if (newest !== of) return null;
      console.warn(`training without other workers: ${said(error)}`);
    }
  }
  return { forge: Forge.cpu(text, images), crew: null };
}

/** Tells how many shaders are compiled of a run that is still wanted. @param {number} of @returns {(loaded: number, total: number) => void} */
const shaders = (of) => (loaded, total) => {
  if (newest === of) post({ type: 'loading', stage: 'start', loaded, total });
};

/**
 * @param {OffscreenCanvas} canvas
 * @param {{rows: number, columns: number}} grid
 * @param {number} scale   canvas pixels to an image pixel
 */
function size(canvas, { rows, columns }, scale) {
  canvas.width = CELL * columns * scale;
  canvas.height = CELL * rows * scale;
}

/** @param {number} id */
async function images(id) {
  try {
    if (!run) throw new Error('no run');
    const bytes = await run.questions.images();
    post({ type: 'images', id, images: bytes, error: '' }, [bytes.buffer]);
  } catch (error) {
    post({ type: 'images', id, images: null, error: answerable(error) });
  }
}

/** @param {Extract<ToWorker, {type: 'sample'}>} message */
async function sample({ id, count, vitals }) {
  try {
    if (!run) throw new Error('no run');
    const sampled = await run.questions.sample(count, vitals);
    post({ type: 'samples', id, sampled, error: '' }, [sampled.images.buffer, sampled.labels.buffer]);
  } catch (error) {
    post({ type: 'samples', id, sampled: null, error: answerable(error) });
  }
}

/** @param {Extract<ToWorker, {type: 'gather'}>} message */
async function gather({ id, count }) {
  wanted.add(id);
  const mine = run;
  try {
    if (!mine) throw new Error('no run');
    const sampled = await mine.questions.gather(count, (done) => {
      post({ type: 'gathered', id, done });
      return run === mine && wanted.has(id);
    });
    if (sampled) post({ type: 'samples', id, sampled, error: '' }, [sampled.images.buffer, sampled.labels.buffer]);
    else post({ type: 'samples', id, sampled: null, error: 'no more are wanted' });
  } catch (error) {
    post({ type: 'samples', id, sampled: null, error: answerable(error) });
  } finally {
    wanted.delete(id);
  }
}

/** @param {number} id */
async function save(id) {
  try {
    if (!run) throw new Error('no run');
    const { step, file } = await run.questions.save();
    post({ type: 'saved', id, step, file, error: '' }, [file.buffer]);
  } catch (error) {
    post({ type: 'saved', id, step: 0, file: null, error: answerable(error) });
  }
}

/** @param {Run} before */
async function keep(before) {
  try {
    const { step, file } = await before.questions.save();
    if (file.length <= MOST_KEPT) post({ type: 'kept', step, file }, [file.buffer]);
  } catch (error) {
    // What can't be saved is lost, as it would be anyway.
    answerable(error);
  }
}

/** @param {number} id @param {Uint8Array} file */
async function check(id, file) {
  try {
    await opened;
    post({ type: 'checked', id, resolved: settingsOf(file), fault: null, error: '' });
  } catch (error) {
    const answer = answerable(error);
    const { name } = /** @type {Error} */ (error);
    post({ type: 'checked', id, resolved: null, fault: /** @type {import('./protocol.js').CheckpointFault} */ (name), error: answer });
  }
}

/** @param {Extract<ToWorker, {type: 'prepare'}>} message */
async function prepared({ id, grey, width, height }) {
  await opened;
  try {
    const image = prepare(grey, width, height);
    post({ type: 'prepared', id, image, error: '' }, [image.buffer]);
  } catch (error) {
    post({ type: 'prepared', id, image: null, error: answerable(error) });
  }
}

/** @param {number} of @param {string} settings */
async function tune(of, settings) {
  try {
    if (run?.id === of) await run.tune(settings);
  } catch (error) {
    post({ type: 'failed', run: of, fault: 'settings', message: answerable(error) });
  }
}

/** Also for a run that is still being made. @param {import('./protocol.js').View} view */
function show(view) {
  if (pending) pending.view = view;
  run?.show(view);
}

/** Likewise. @param {boolean} on */
function wish(on) {
  if (pending) pending.wishes = on;
  run?.wish(on);
}

/** An error's text, but a panic is no answer: the module is undefined after it. @param {unknown} error */
function answerable(error) {
  if (error instanceof WebAssembly.RuntimeError) throw error;
  return said(error);
}

/** @param {number} id @param {string} settings */
async function answer(id, settings) {
  await opened;
  post({ type: 'resolved', id, resolved: resolved(settings) });
}

/** @param {number} id @param {string} settings */
async function networks(id, settings) {
  await opened;
  try {
    post({ type: 'networks', id, networks: networksOf(settings), error: '' });
  } catch (error) {
    post({ type: 'networks', id, networks: null, error: answerable(error) });
  }
}

self.addEventListener('message', (event) => {
  /** @type {ToWorker} */
  const message = event.data;
  switch (message.type) {
    case 'open': return void open(message);
    case 'resolve': return void answer(message.id, message.text);
    case 'networks': return void networks(message.id, message.text);
    case 'start': return void start(message);
    case 'images': return void images(message.id);
    case 'save': return void save(message.id);
    case 'sample': return void sample(message);
    case 'gather': return void gather(message);
    case 'cancel': return void wanted.delete(message.id);
    case 'check': return void check(message.id, message.file);
    case 'prepare': return void prepared(message);
    case 'data': return void (own = message.own && new OwnSupply(message.own));
    case 'retry': return supply?.retry();
    case 'look': return run?.restyle(message.look);
    case 'view': return show(message.view);
    case 'wishes': return wish(message.on);
  }
  if (message.type === 'tune') return void tune(message.run, message.text);
  if (message.type === 'reading' || message.type === 'undo') {
    if (run?.id !== message.run) return;
    if (message.type === 'reading') run.examine(message.symptoms);
    else run.undo(message.rule, message.cure, message.text);
    return;
  }
  if (pending?.run === message.run) {
    pending.play = message.type === 'play';
    return;
  }
  if (run?.id !== message.run) return;
  if (message.type === 'play') run.play();
  if (message.type === 'pause') run.pause();
  if (message.type === 'step') run.step();
});

// A panic leaves the module undefined: the page ends this worker and offers a new one.
const crashed = (/** @type {unknown} */ error) =>
  post({ type: 'failed', run: newest, fault: 'crash', message: said(error) });
self.addEventListener('error', (event) => {
  event.preventDefault();
  crashed(event.error ?? event.message);
});
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  crashed(event.reason);
});
