// The player against a worker that only listens: what it sends, what it believes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Player, WorkerEnded } from '../../www/player.js';
import { initialState, readAddress } from '../../www/state.js';

/** @typedef {import('../../www/protocol.js').FromWorker} FromWorker */

function setUp() {
  /** @type {any[]} */
  const sent = [];
  /** @type {any[]} */
  const workers = [];
  const state = initialState(readAddress('', '').options);
  const player = new Player(state, {
    spawn: () => {
      const worker = { postMessage: (/** @type {any} */ message) => sent.push(message), terminate: () => (worker.ended = true), ended: false, onmessage: null, onerror: null };
      workers.push(worker);
      return /** @type {any} */ (worker);
    },
    canvases: () => ({ canvas: /** @type {any} */ ({}), raw: /** @type {any} */ ({}), scale: 2 }),
    look: () => ({ paper: 0xffffff, ink: 0 }),
    data: 'data/',
    isDear: () => state.step >= 300,
  });
  const hear = (/** @type {FromWorker} */ message) => workers.at(-1).onmessage({ data: message });
  const resolved = { preset: 'quick', values: { seed: '1', average: '0.9' }, changed: {}, text: 'preset=quick', errors: [] };
  player.open();
  player.start(resolved);
  return { sent, workers, state, player, hear, resolved };
}

const progress = (/** @type {number} */ run, /** @type {number} */ step) =>
  /** @type {FromWorker} */ ({ type: 'progress', run, step, images: 0, rate: 1, elapsed: 1, metrics: new Float32Array() });

test('it starts by itself and believes the worker only', () => {
  const { sent, state, hear } = setUp();
  assert.deepEqual(sent.map(({ type }) => type), ['open', 'start']);
  assert.equal(sent[1].play, true);
  assert.equal(state.phase, 'loading');
  hear({ type: 'playing', run: 1 });
  assert.equal(state.phase, 'playing');
});

test('pause is a wish until it is acknowledged', () => {
  const { sent, state, player, hear } = setUp();
  hear({ type: 'playing', run: 1 });
  player.pause();
  assert.deepEqual(sent.at(-1), { type: 'pause', run: 1 });
  assert.deepEqual([state.wanted, state.phase], [false, 'playing']);
  hear({ type: 'paused', run: 1 });
  assert.equal(state.phase, 'paused');
});

test('news of an earlier run is dropped', () => {
  const { state, player, hear } = setUp();
  player.restart();
  hear(progress(1, 99));
  assert.equal(state.step, 0);
  hear(progress(2, 5));
  assert.equal(state.step, 5);
});

test('out of sight it rests, back in sight it goes on', () => {
  const { sent, player } = setUp();
  player.setAway(true, false);
  assert.equal(sent.at(-1).type, 'pause');
  player.setAway(false, false);
  assert.equal(sent.at(-1).type, 'play');
});

test('what a person paused stays paused when they come back', () => {
  const { sent, player } = setUp();
  player.pause();
  player.setAway(true, false);
  player.setAway(false, false);
  assert.equal(sent.at(-1).type, 'pause');
});

test('it goes on in a hidden tab if asked to, but not scrolled away', () => {
  const { sent, player } = setUp();
  player.setKeepGoing(true);
  player.setAway(true, false);
  assert.equal(sent.at(-1).type, 'play');
  player.setAway(true, true);
  assert.equal(sent.at(-1).type, 'pause');
});

test('a step from the midst of training ends it', () => {
  const { sent, state, player, hear } = setUp();
  hear({ type: 'playing', run: 1 });
  player.step();
  assert.deepEqual(sent.at(-1), { type: 'step', run: 1 });
  assert.equal(state.wanted, false);
});

test('a GPU that fails to start is replaced by the CPU, and that is said', () => {
  const { sent, state, player, hear } = setUp();
  let told = '';
  player.addEventListener('gpuFailed', (event) => (told = /** @type {CustomEvent} */ (event).detail));
  hear({ type: 'failed', run: 1, fault: 'gpu', message: 'no device' });
  assert.equal(told, 'no device');
  assert.deepEqual([sent.at(-1).type, sent.at(-1).engine, sent.at(-1).run], ['start', 'cpu', 2]);
  hear({ type: 'started', run: 2, engine: 'cpu', adapter: 'x', threads: 1, reason: 'forced-cpu', rows: 8, columns: 10 });
  assert.equal(state.reason, 'gpu-failed');
});

test('after a run that workers shared has crashed, the next ones are left to one', () => {
  const { sent, state, player, hear } = setUp();
  const started = () => sent.filter(({ type }) => type === 'start').at(-1).threads;
  state.options.threads = 4;
  player.restart();
  assert.equal(started(), 4);
  hear({ type: 'started', run: state.run, engine: 'cpu', adapter: 'x', threads: 4, reason: 'forced-cpu', rows: 8, columns: 10 });
  hear({ type: 'failed', run: state.run, fault: 'crash', message: 'out of memory' });
  player.restart();
  assert.equal(started(), 1);
});

test('a view is asked for at once and of every run, but never where there is no average', () => {
  const { sent, state, player, resolved } = setUp();
  assert.equal(sent.at(-1).view, 'averaged');
  player.show('both');
  assert.deepEqual(sent.at(-1), { type: 'view', view: 'both' });
  player.restart();
  assert.equal(sent.at(-1).view, 'both');
  player.start({ ...resolved, values: { average: '0' } });
  assert.equal(sent.at(-1).view, 'averaged');
  player.show('raw');
  assert.deepEqual(sent.at(-1), { type: 'view', view: 'averaged' });
  player.start(resolved);
  assert.deepEqual([sent.at(-1).view, state.view], ['raw', 'raw'], 'the wish is kept');
});

test('what settings build is asked of the worker, and nothing of none', async () => {
  const { sent, player, hear } = setUp();
  const asked = player.networks('batch=3');
  assert.deepEqual(sent.at(-1), { type: 'networks', id: 1, text: 'batch=3' });
  hear({ type: 'networks', id: 1, networks: [], error: '' });
  assert.deepEqual(await asked, []);
  const refused = player.networks('batch=x');
  hear({ type: 'networks', id: 2, networks: null, error: 'no number' });
  await assert.rejects(refused, /no number/);
  hear({ type: 'failed', run: 1, fault: 'crash', message: 'x' });
  assert.equal(await player.networks(''), null);
});

const checkpoint = new Uint8Array([1, 2, 3]);

test('a run opened from a checkpoint keeps it when the CPU takes over, and forgets it once it goes on', () => {
  const { sent, player, hear, resolved } = setUp();
  player.start(resolved, checkpoint);
  assert.equal(sent.at(-1).checkpoint, checkpoint);
  hear({ type: 'failed', run: 2, fault: 'gpu', message: 'no device' });
  assert.deepEqual([sent.at(-1).engine, sent.at(-1).run, sent.at(-1).checkpoint], ['cpu', 3, checkpoint]);
  hear({ type: 'playing', run: 3 });
  player.restartOnCpu();
  assert.equal(sent.at(-1).checkpoint, null);
  player.start(resolved, checkpoint);
  player.restart();
  assert.equal(sent.at(-1).checkpoint, null, 'a restart is from the beginning');
});

test('a run of some length is kept when another takes its place, but not where the other goes on from a file or has other data', () => {
  const { sent, player, hear, resolved, state } = setUp();
  const kept = (/** @type {() => void} */ restart, step = 300) => {
    hear({ type: 'playing', run: state.run });
    hear(progress(state.run, step));
    restart();
    return sent.findLast(({ type }) => type === 'start').keep;
  };
  assert.equal(sent.find(({ type }) => type === 'start').keep, false, 'there was none before');
  assert.equal(kept(() => player.restart()), true);
  assert.equal(kept(() => player.restart(), 299), false);
  assert.equal(kept(() => player.start(resolved, checkpoint)), false);
  const own = { name: 'a', found: 1, count: 1, images: new Uint8Array(784), labels: new Uint8Array(1), turned: false };
  assert.equal(kept(() => (player.useData(own), player.restart())), false);
  assert.equal(kept(() => player.restart()), true);
  hear(progress(state.run, 500));
  player.restart();
  assert.equal(sent.at(-1).keep, false, 'it never trained');
});

test('a file that is no checkpoint is refused with its fault, and the run goes on', async () => {
  const { sent, state, player, hear } = setUp();
  hear({ type: 'playing', run: 1 });
  const refused = player.check(checkpoint);
  assert.deepEqual(sent.at(-1), { type: 'check', id: 1, file: checkpoint });
  hear({ type: 'checked', id: 1, resolved: null, fault: 'foreign', error: 'no settings' });
  await assert.rejects(refused, { fault: 'foreign', message: 'no settings' });
  assert.deepEqual([state.phase, state.run], ['playing', 1]);
});

test('a refused file leaves a failed run failed', async () => {
  const { state, player, hear } = setUp();
  hear({ type: 'failed', run: 1, fault: 'crash', message: 'unreachable' });
  const refused = player.check(checkpoint);
  hear({ type: 'checked', id: 1, resolved: null, fault: 'format', error: 'x' });
  await assert.rejects(refused, { fault: 'format' });
  assert.equal(state.phase, 'failed');
});

test('a saved run comes with its step, or with the reason why not', async () => {
  const { player, hear } = setUp();
  const saved = player.save();
  hear({ type: 'saved', id: 1, step: 7, file: checkpoint, error: '' });
  const { step, file } = await saved;
  assert.deepEqual([step, file], [7, checkpoint]);
  const failed = player.save();
  hear({ type: 'saved', id: 2, step: 0, file: null, error: 'no run' });
  await assert.rejects(failed, /no run/);
});

test('a crash ends the worker; restart brings a new one with the same settings', () => {
  const { sent, workers, state, player, hear } = setUp();
  let told = null;
  player.addEventListener('failed', (event) => (told = /** @type {CustomEvent} */ (event).detail));
  hear({ type: 'failed', run: 1, fault: 'crash', message: 'unreachable' });
  assert.deepEqual(told, { fault: 'crash', message: 'unreachable' });
  assert.deepEqual([state.phase, workers[0].ended], ['failed', true]);
  player.restart();
  assert.equal(workers.length, 2);
  assert.deepEqual(sent.slice(-2).map(({ type }) => type), ['open', 'start']);
  assert.equal(sent.at(-1).text, 'preset=quick');
});

test('a question to a worker that dies is answered with an error', async () => {
  const { player, hear } = setUp();
  const question = player.images();
  hear({ type: 'failed', run: 1, fault: 'crash', message: 'x' });
  await assert.rejects(question, /worker ended/);
});

const own = { name: 'x', found: 12, count: 12, images: new Uint8Array(12 * 784), labels: new Uint8Array(12), turned: false };

test('own data goes to the worker once, and again to one that takes its place', () => {
  const { sent, state, player, hear } = setUp();
  player.useData(own);
  assert.deepEqual(sent.at(-1), { type: 'data', own });
  assert.deepEqual(state.data, { name: 'x', found: 12, count: 12 });
  hear({ type: 'failed', run: 1, fault: 'crash', message: 'unreachable' });
  player.restart();
  assert.deepEqual(sent.slice(-3).map(({ type }) => type), ['open', 'data', 'start']);
  player.useData(null);
  assert.deepEqual([sent.at(-1).own, state.data], [null, null]);
});

test('a picture that can’t be prepared is refused, and a failed run stays failed', async () => {
  const { sent, state, player, hear, workers } = setUp();
  const picture = { grey: new Uint8Array(6), width: 2, height: 3 };
  const blank = player.prepare(picture);
  assert.deepEqual(sent.at(-1), { type: 'prepare', id: 1, ...picture });
  hear({ type: 'prepared', id: 1, image: null, error: 'picture: it is blank' });
  await assert.rejects(blank, /blank/);
  const cut = player.prepare(picture);
  hear({ type: 'failed', run: 1, fault: 'crash', message: 'unreachable' });
  await assert.rejects(cut, WorkerEnded);
  const good = player.prepare(picture);
  assert.equal(workers.length, 2);
  hear({ type: 'prepared', id: 3, image: new Uint8Array(784), error: '' });
  assert.equal((await good).length, 784);
  assert.equal(state.phase, 'failed');
});
