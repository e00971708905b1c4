// A report, with a run and a clinic that only answer: what is asked in which order, how far it says it is, and how it ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setLanguage } from '../../www/i18n/index.js';
import { REPORTED, Reporter } from '../../www/report.js';

setLanguage('en');

const PIXELS = 784;

/** @typedef {'open'|'gather'|'report'|'neighbours'} Question */

/** @param {{condition?: string}} [how] */
function scene({ condition = 'projection' } = {}) {
  /** What happened, in order. @type {string[]} */
  const log = [];
  /** What the page shows. @type {{words: string[], parts: number[], findings: any, rests: (string | null)[]}} */
  const shown = { words: [], parts: [], findings: null, rests: [] };
  /** What isn't answered before somebody says so, or is answered with a fault. @type {{holds: Question | 'draw' | null, fails: Question | null}} */
  const how = { holds: null, fails: null };
  /** @type {(() => void)[]} */
  const held = [];
  let clinics = 0;

  function newClinic() {
    const name = ++clinics;
    let closed = false;
    /** @type {((error: Error) => void)[]} */
    const waiting = [];
    /** @param {Question} question @param {any} value */
    const answer = (question, value) => {
      log.push(`${name} ${question}`);
      if (closed) return Promise.reject(new Error('the clinic is closed'));
      if (how.fails === question) return Promise.reject(new Error('HTTP 404'));
      if (how.holds !== question) return Promise.resolve(value);
      return new Promise((resolve, reject) => {
        waiting.push(reject);
        held.push(() => resolve(value));
      });
    };
    return {
      open: () => answer('open', undefined),
      gather: (/** @type {any} */ { images, labels }, /** @type {boolean} */ asked) => {
        assert.equal(images.length, labels.length * PIXELS);
        assert.equal(asked, condition !== 'none');
        return answer('gather', { digits: labels });
      },
      report: () => answer('report', { report: 'a report', distance: 'a distance' }),
      neighbours: () => answer('neighbours', 'neighbours'),
      close() {
        if (!closed) log.push(`${name} close`);
        closed = true;
        for (const reject of waiting) reject(new Error('the clinic is closed'));
      },
    };
  }

  const player = {
    async gather(/** @type {number} */ count, /** @type {{told: (done: number) => void, signal: AbortSignal}} */ { told, signal }) {
      log.push('draw');
      told(count / 2);
      if (how.holds === 'draw') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return { step: 7, side: 28, images: new Uint8Array(count * PIXELS), labels: Uint8Array.from({ length: count }, (_, k) => k % 10) };
    },
  };
  const view = {
    work(/** @type {() => string} */ word, /** @type {number} */ part) {
      shown.words.push(word());
      shown.parts.push(part);
    },
    rest: (/** @type {(() => string) | null} */ word = null) => void shown.rests.push(word?.() ?? null),
    show: (/** @type {any} */ findings) => (shown.findings = findings),
  };
  const state = { resolved: { values: { condition } } };
  const reporter = new Reporter(/** @type {any} */ ({ state, player, view, clinic: newClinic }));
  return { reporter, log, shown, how, release: () => held.splice(0).forEach((go) => go()) };
}

const later = () => new Promise((done) => setTimeout(done, 5));

/** Without the parts between the first and the last. @param {string[]} log */
const once = (log) => log.filter((entry, k) => entry !== log[k - 1]);

test('a report draws, reads, compares and closes its clinic; it says how far it is', async () => {
  const { reporter, log, shown } = scene();
  await reporter.start();
  assert.deepEqual(once(log), ['1 open', 'draw', '1 gather', '1 report', '1 neighbours', '1 close']);
  assert.deepEqual(once(shown.words.map((word) => word.replace(/^Read .*/, 'Read'))), ['Drawing 0 of 6,000', 'Drawing 3,000 of 6,000', 'Reading real digits…', 'Read', 'Measuring neighbours…']);
  assert.ok(shown.words.includes('Read 600 of 6,000') && shown.words.includes('Read 5,400 of 6,000'));
  assert.ok(shown.parts.every((part) => Number.isNaN(part) || (part >= 0 && part < 1)));
  assert.deepEqual(shown.rests, [null]);
  const { step, count, report, distance, neighbours, shares, entropy } = shown.findings;
  assert.deepEqual([step, count, report, distance, neighbours], [7, REPORTED, 'a report', 'a distance', 'neighbours']);
  assert.ok(shares.every((/** @type {number} */ share) => Math.abs(share - 0.1) < 1e-9) && Math.abs(entropy - Math.LN10) < 1e-9);
});

test('what is known shows while neighbours are measured', async () => {
  const { reporter, shown, how, release } = scene({ condition: 'none' });
  how.holds = 'neighbours';
  const done = reporter.start();
  await later();
  assert.deepEqual([shown.findings.report, shown.findings.neighbours], ['a report', null]);
  release();
  await done;
  assert.equal(shown.findings.neighbours, 'neighbours');
});

for (const where of /** @type {const} */ (['draw', 'open', 'gather', 'report', 'neighbours'])) {
  test(`cancelled during “${where}” it ends at once, asks nothing more, and the next one works`, async () => {
    const { reporter, log, shown, how } = scene();
    how.holds = where;
    const done = reporter.start();
    await later();
    const before = shown.findings;
    reporter.cancel();
    assert.equal(log.at(-1), '1 close');
    assert.deepEqual(shown.rests, ['The report was cancelled.']);
    await done;
    await later();
    assert.equal(log.at(-1), '1 close');
    assert.deepEqual([shown.rests.length, shown.findings], [1, before]);
    // Nothing is left to cancel.
    reporter.cancel();
    assert.equal(shown.rests.length, 1);

    how.holds = null;
    await reporter.start();
    assert.equal(shown.findings.neighbours, 'neighbours');
    assert.equal(log.at(-1), '2 close');
  });
}

for (const where of /** @type {const} */ (['open', 'gather', 'neighbours'])) {
  test(`a clinic that fails to answer “${where}” says why, and the next report works`, async () => {
    const { reporter, log, shown, how } = scene();
    how.fails = where;
    await reporter.start();
    assert.deepEqual(shown.rests, ['No report: HTTP 404']);
    assert.equal(log.at(-1), '1 close');
    how.fails = null;
    await reporter.start();
    assert.deepEqual(shown.rests, ['No report: HTTP 404', null]);
    assert.equal(shown.findings.neighbours, 'neighbours');
  });
}

test('a second report takes the place of the first', async () => {
  const { reporter, log, shown, how } = scene();
  how.holds = 'neighbours';
  const first = reporter.start();
  await later();
  how.holds = null;
  await Promise.all([first, reporter.start()]);
  assert.ok(log.indexOf('1 close') < log.indexOf('2 open'));
  assert.equal(log.filter((entry) => entry === '2 close').length, 1);
  assert.equal(shown.findings.neighbours, 'neighbours');
});
